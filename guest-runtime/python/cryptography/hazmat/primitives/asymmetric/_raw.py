"""What both curves have in common: keys of 32 bytes, and how they are written."""

import os

import _cordon_keys
from cryptography.hazmat.primitives._forms import private_written, public_written
from cryptography.hazmat.primitives._serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat,
)
from cryptography.utils import check_byteslike


class Private:
    """A private key."""

    def __init__(self, seed):
        self._seed = seed

    @classmethod
    def generate(cls):
        return cls(os.urandom(32))

    @classmethod
    def from_private_bytes(cls, data):
        check_byteslike("data", data)
        if len(data) != 32:
            raise ValueError("An %s private key is 32 bytes long" % cls._curve)
        return cls(bytes(data))

    def public_key(self):
        return self._public(self._computed(self._seed))

    def private_bytes_raw(self):
        return self._seed

    def private_bytes(self, encoding, format, encryption_algorithm):
        if encoding is Encoding.Raw or format is PrivateFormat.Raw:
            if (encoding is not Encoding.Raw or format is not PrivateFormat.Raw
                    or not isinstance(encryption_algorithm, NoEncryption)):
                raise ValueError("When using Raw both encoding and format must be Raw and"
                                 " encryption_algorithm must be NoEncryption()")
            return self._seed
        pkcs8 = _cordon_keys.pkcs8((self._curve.lower(), self._seed))
        return private_written(pkcs8, encoding, format, encryption_algorithm)


class Public:
    """A public key."""

    def __init__(self, point):
        self._point = point

    @classmethod
    def from_public_bytes(cls, data):
        check_byteslike("data", data)
        if len(data) != 32:
            raise ValueError("An %s public key is 32 bytes long" % cls._curve)
        return cls(bytes(data))

    def public_bytes_raw(self):
        return self._point

    def public_bytes(self, encoding, format):
        if encoding is Encoding.Raw or format is PublicFormat.Raw:
            if encoding is not Encoding.Raw or format is not PublicFormat.Raw:
                raise ValueError("When using Raw both encoding and format must be Raw")
            return self._point
        return public_written((self._curve.lower(), self._point), encoding, format)

    def __eq__(self, other):
        return type(other) is type(self) and other._point == self._point

    def __hash__(self):
        return hash(self._point)

    def __copy__(self):
        return self
