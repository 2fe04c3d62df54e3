"""Fernet: tokens that are encrypted and authenticated (AES-CBC, HMAC-SHA256)."""

import base64
import binascii
import hmac
import os
import time

import _cordon_crypto
from cryptography.hazmat.primitives import padding

_VERSION = 0x80

# Seconds by which the clock of who made a token may be ahead.
_AHEAD = 60


class InvalidToken(Exception):
    """The token is damaged, too old, or was made with another key."""


def _bytes(token):
    if isinstance(token, str):
        return token.encode()
    if isinstance(token, bytes):
        return token
    raise TypeError("token must be bytes or str")


def _unpadded(data):
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(data) + unpadder.finalize()


class Fernet:
    """Encrypts and decrypts tokens with one key."""

    def __init__(self, key, backend=None):
        try:
            key = base64.urlsafe_b64decode(key)
        except binascii.Error as error:
            raise ValueError("Fernet key must be 32 url-safe base64-encoded bytes.") from error
        if len(key) != 32:
            raise ValueError("Fernet key must be 32 url-safe base64-encoded bytes.")
        self._signing_key, self._encryption_key = key[:16], key[16:]

    @classmethod
    def generate_key(cls):
        return base64.urlsafe_b64encode(os.urandom(32))

    def encrypt(self, data):
        return self.encrypt_at_time(data, int(time.time()))

    def encrypt_at_time(self, data, current_time):
        return self._token(data, current_time, os.urandom(16))

    def _token(self, data, current_time, iv):
        if not isinstance(data, bytes):
            raise TypeError("data must be bytes")
        padder = padding.PKCS7(128).padder()
        padded = padder.update(data) + padder.finalize()
        secret = _cordon_crypto.AesWork("CBC", self._encryption_key, iv, True).update(padded)
        body = bytes((_VERSION,)) + current_time.to_bytes(8, "big") + iv + secret
        return base64.urlsafe_b64encode(body + hmac.digest(self._signing_key, body, "sha256"))

    def decrypt(self, token, ttl=None):
        return self._plain(token, None if ttl is None else (ttl, int(time.time())))

    def decrypt_at_time(self, token, ttl, current_time):
        if ttl is None:
            raise ValueError("decrypt_at_time() can only be used with a non-None ttl")
        return self._plain(token, (ttl, current_time))

    def extract_timestamp(self, token):
        timestamp, data = self._read(token)
        self._verify(data)
        return timestamp

    @staticmethod
    def _read(token):
        try:
            data = base64.urlsafe_b64decode(_bytes(token))
        except (TypeError, binascii.Error):
            raise InvalidToken from None
        if not data or data[0] != _VERSION or len(data) < 9:
            raise InvalidToken
        return int.from_bytes(data[1:9], "big"), data

    def _verify(self, data):
        if not hmac.compare_digest(hmac.digest(self._signing_key, data[:-32], "sha256"), data[-32:]):
            raise InvalidToken

    def _plain(self, token, time_info):
        timestamp, data = self._read(token)
        if time_info is not None:
            ttl, now = time_info
            if timestamp + ttl < now or now + _AHEAD < timestamp:
                raise InvalidToken
        self._verify(data)
        iv, secret = data[9:25], data[25:-32]
        try:
            work = _cordon_crypto.AesWork("CBC", self._encryption_key, iv, False)
            if len(secret) % 16:
                raise ValueError("not whole blocks")
            return _unpadded(work.update(secret))
        except ValueError:
            raise InvalidToken from None


class MultiFernet:
    """Several keys: the first encrypts, each may decrypt."""

    def __init__(self, fernets):
        self._fernets = list(fernets)
        if not self._fernets:
            raise ValueError("MultiFernet requires at least one Fernet instance")

    def encrypt(self, msg):
        return self._fernets[0].encrypt(msg)

    def encrypt_at_time(self, msg, current_time):
        return self._fernets[0].encrypt_at_time(msg, current_time)

    def _first(self, attempt):
        for fernet in self._fernets:
            try:
                return attempt(fernet)
            except InvalidToken:
                continue
        raise InvalidToken

    def rotate(self, msg):
        def both(fernet):
            return fernet.extract_timestamp(msg), fernet.decrypt(msg)

        timestamp, plain = self._first(both)
        return self._fernets[0].encrypt_at_time(plain, timestamp)

    def decrypt(self, msg, ttl=None):
        return self._first(lambda fernet: fernet.decrypt(msg, ttl))

    def decrypt_at_time(self, msg, ttl, current_time):
        return self._first(lambda fernet: fernet.decrypt_at_time(msg, ttl, current_time))

    def extract_timestamp(self, msg):
        return self._first(lambda fernet: fernet.extract_timestamp(msg))
