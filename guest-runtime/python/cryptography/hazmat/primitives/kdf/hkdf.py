"""HKDF (RFC 5869)."""

import hmac

from cryptography.hazmat.primitives.hashes import hashlib_name
from cryptography.hazmat.primitives.kdf import KeyDerivationFunction
from cryptography.utils import check_bytes, check_byteslike


class HKDFExpand(KeyDerivationFunction):
    """The second half."""

    def __init__(self, algorithm, length, info, backend=None):
        self._hash, self._size = hashlib_name(algorithm), algorithm.digest_size
        if length > 255 * self._size:
            raise ValueError("Cannot derive keys larger than %d octets." % (255 * self._size))
        if info is not None:
            check_bytes("info", info)
        self._length, self._info = length, info or b""

    def _derived(self, key_material):
        check_byteslike("key_material", key_material)
        return self._expanded(bytes(key_material))

    def _expanded(self, key):
        out = block = b""
        number = 1
        while len(out) < self._length:
            block = hmac.digest(key, block + self._info + bytes((number,)), self._hash)
            out += block
            number += 1
        return out[:self._length]


class HKDF(HKDFExpand):
    """Both halves."""

    def __init__(self, algorithm, length, salt, info, backend=None):
        super().__init__(algorithm, length, info)
        if salt is not None:
            check_bytes("salt", salt)
        self._salt = salt or bytes(self._size)

    def _derived(self, key_material):
        check_byteslike("key_material", key_material)
        return self._expanded(hmac.digest(self._salt, bytes(key_material), self._hash))
