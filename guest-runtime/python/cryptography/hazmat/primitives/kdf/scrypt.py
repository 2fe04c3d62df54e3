"""scrypt."""

import hashlib

from cryptography.hazmat.primitives.kdf import KeyDerivationFunction
from cryptography.utils import check_bytes, check_byteslike


class Scrypt(KeyDerivationFunction):
    def __init__(self, salt, length, n, r, p, backend=None):
        check_bytes("salt", salt)
        if n < 2 or n & (n - 1):
            raise ValueError("n must be greater than 1 and be a power of 2.")
        if r < 1:
            raise ValueError("r must be greater than or equal to 1.")
        if p < 1:
            raise ValueError("p must be greater than or equal to 1.")
        self._parameters = {"salt": salt, "n": n, "r": r, "p": p, "dklen": length,
                            "maxmem": 256 * n * r * p + (1 << 20)}

    def _derived(self, key_material):
        check_byteslike("key_material", key_material)
        return hashlib.scrypt(bytes(key_material), **self._parameters)
