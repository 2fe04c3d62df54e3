"""Symmetric ciphers: AES in its modes."""

import hmac

import _cordon_crypto
from cryptography.exceptions import (
    AlreadyFinalized, AlreadyUpdated, InvalidTag, NotYetFinalized,
)
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.utils import check_byteslike, unsupported

_BLOCK = 16


class CipherAlgorithm:
    """Kept for who asks for the type."""


class BlockCipherAlgorithm(CipherAlgorithm):
    """Kept for who asks for the type."""


class CipherContext:
    """Encryption or decryption under way."""

    def __init__(self, cipher, encrypts):
        self._mode = cipher.mode
        self._work = _cordon_crypto.AesWork(
            cipher.mode.name, cipher.algorithm.key, cipher.mode.start(), encrypts)
        self._blocks = cipher.mode.name in ("ECB", "CBC")
        self._rest = b""

    def _open(self):
        if self._work is None:
            raise AlreadyFinalized("Context was already finalized.")
        return self._work

    def update(self, data):
        check_byteslike("data", data)
        work = self._open()
        if not self._blocks:
            return work.update(data)
        data = self._rest + bytes(data)
        end = len(data) // _BLOCK * _BLOCK
        self._rest = data[end:]
        return work.update(data[:end])

    def update_into(self, data, buf):
        out = self.update(data)
        if len(buf) < len(out):
            raise ValueError("buffer must be at least %d bytes for this payload" % len(out))
        buf[:len(out)] = out
        return len(out)

    def finalize(self):
        self._open()
        if self._rest:
            raise ValueError(
                "The length of the provided data is not a multiple of the block length.")
        self._work = None
        return b""


class AEADCipherContext(CipherContext):
    """The same with data that is authenticated and not encrypted."""

    _updated = False

    def authenticate_additional_data(self, data):
        check_byteslike("data", data)
        if self._updated:
            raise AlreadyUpdated("Update has been called on this context")
        self._open().authenticate(data)

    def update(self, data):
        self._updated = True
        return super().update(data)


class AEADEncryptionContext(AEADCipherContext):
    _tag = None

    def finalize(self):
        tag = self._open().tag()
        super().finalize()
        self._tag = tag
        return b""

    @property
    def tag(self):
        if self._tag is None:
            raise NotYetFinalized("You must finalize encryption before getting the tag.")
        return self._tag


class AEADDecryptionContext(AEADCipherContext):
    def finalize(self):
        if self._mode.tag is None:
            self._open()
            raise ValueError("Authentication tag must be provided when decrypting.")
        return self.finalize_with_tag(self._mode.tag)

    def finalize_with_tag(self, tag):
        if not self._mode._min_tag_length <= len(tag) <= _BLOCK:
            raise ValueError("Authentication tag must be %d bytes or longer."
                             % self._mode._min_tag_length)
        computed = self._open().tag()
        super().finalize()
        if not hmac.compare_digest(computed[:len(tag)], bytes(tag)):
            raise InvalidTag
        return b""


class Cipher:
    """An algorithm with a mode."""

    def __init__(self, algorithm, mode, backend=None):
        if not isinstance(algorithm, algorithms._Aes):
            raise unsupported("cipher %s" % getattr(algorithm, "name", algorithm))
        if not hasattr(mode, "start"):
            raise unsupported("mode %s" % getattr(mode, "name", mode))
        mode.start()
        self.algorithm, self.mode = algorithm, mode

    def encryptor(self):
        if self.mode.name == "GCM":
            if self.mode.tag is not None:
                raise ValueError("Authentication tag must be None when encrypting.")
            return AEADEncryptionContext(self, True)
        return CipherContext(self, True)

    def decryptor(self):
        kind = AEADDecryptionContext if self.mode.name == "GCM" else CipherContext
        return kind(self, False)
