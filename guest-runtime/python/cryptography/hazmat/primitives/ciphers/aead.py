"""Authenticated encryption in one go."""

import hmac
import os

import _cordon_crypto
from cryptography.exceptions import InvalidTag
from cryptography.utils import check_byteslike, unsupported

_TAG = 16


class AESGCM:
    """AES-GCM; the tag is the end of the ciphertext."""

    def __init__(self, key):
        check_byteslike("key", key)
        if len(key) not in (16, 24, 32):
            raise ValueError("AESGCM key must be 128, 192, or 256 bits.")
        self._key = bytes(key)

    @classmethod
    def generate_key(cls, bit_length):
        if bit_length not in (128, 192, 256):
            raise ValueError("bit_length must be 128, 192, or 256")
        return os.urandom(bit_length // 8)

    def _work(self, nonce, associated_data, encrypts):
        check_byteslike("nonce", nonce)
        if not 8 <= len(nonce) <= 128:
            raise ValueError("Nonce must be between 8 and 128 bytes")
        work = _cordon_crypto.AesWork("GCM", self._key, nonce, encrypts)
        work.authenticate(associated_data or b"")
        return work

    def encrypt(self, nonce, data, associated_data):
        work = self._work(nonce, associated_data, True)
        return work.update(data) + work.tag()

    def decrypt(self, nonce, data, associated_data):
        if len(data) < _TAG:
            raise InvalidTag
        work = self._work(nonce, associated_data, False)
        plain = work.update(data[:-_TAG])
        if not hmac.compare_digest(work.tag(), bytes(data[-_TAG:])):
            raise InvalidTag
        return plain


class ChaCha20Poly1305:
    """ChaCha20-Poly1305; the tag is the end of the ciphertext."""

    def __init__(self, key):
        check_byteslike("key", key)
        if len(key) != 32:
            raise ValueError("ChaCha20Poly1305 key must be 32 bytes.")
        self._key = bytes(key)

    @classmethod
    def generate_key(cls):
        return os.urandom(32)

    def _done(self, encrypts, nonce, data, associated_data):
        if len(nonce) != 12:
            raise ValueError("Nonce must be 12 bytes")
        done = _cordon_crypto.chacha20_poly1305(
            encrypts, self._key, nonce, data, associated_data or b"")
        if done is None:
            raise InvalidTag
        return done

    def encrypt(self, nonce, data, associated_data):
        return self._done(True, nonce, data, associated_data)

    def decrypt(self, nonce, data, associated_data):
        return self._done(False, nonce, data, associated_data)


def _missing(name):
    class Missing:
        def __init__(self, *args, **kwargs):
            raise unsupported(name)

    Missing.__name__ = Missing.__qualname__ = name
    return Missing


AESCCM = _missing("AESCCM")
AESSIV = _missing("AESSIV")
AESOCB3 = _missing("AESOCB3")
AESGCMSIV = _missing("AESGCMSIV")
