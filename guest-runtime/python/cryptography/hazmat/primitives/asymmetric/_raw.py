"""What both curves have in common: keys of 32 bytes, and how they are written."""

import base64
import os

from _cordon_der import oid, value
from cryptography.hazmat.primitives._serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat,
)
from cryptography.utils import check_byteslike, unsupported


def _written(der, encoding, label):
    if encoding is Encoding.DER:
        return der
    if encoding is not Encoding.PEM:
        raise unsupported("encoding %s of this key" % encoding)
    text = base64.b64encode(der).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return ("-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, "\n".join(lines), label)).encode()


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
        if not isinstance(encryption_algorithm, NoEncryption):
            raise unsupported("encryption of a private key")
        if encoding is Encoding.Raw or format is PrivateFormat.Raw:
            if encoding is not Encoding.Raw or format is not PrivateFormat.Raw:
                raise ValueError("When using Raw both encoding and format must be Raw and"
                                 " encryption_algorithm must be NoEncryption()")
            return self._seed
        if format is not PrivateFormat.PKCS8:
            raise unsupported("format %s of this key" % format)
        der = value(0x30, value(0x02, b"\0"), value(0x30, oid(self._oid)),
                    value(0x04, value(0x04, self._seed)))
        return _written(der, encoding, "PRIVATE KEY")


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
        if format is not PublicFormat.SubjectPublicKeyInfo:
            raise unsupported("format %s of this key" % format)
        der = value(0x30, value(0x30, oid(self._oid)), value(0x03, b"\0" + self._point))
        return _written(der, encoding, "PUBLIC KEY")

    def __eq__(self, other):
        return type(other) is type(self) and other._point == self._point

    __hash__ = None
