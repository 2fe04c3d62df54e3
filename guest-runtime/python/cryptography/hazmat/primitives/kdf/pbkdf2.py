"""PBKDF2 with HMAC."""

import hashlib

from cryptography.hazmat.primitives.hashes import hashlib_name
from cryptography.hazmat.primitives.kdf import KeyDerivationFunction
from cryptography.utils import check_bytes, check_byteslike


class PBKDF2HMAC(KeyDerivationFunction):
    def __init__(self, algorithm, length, salt, iterations, backend=None):
        check_bytes("salt", salt)
        self._parameters = hashlib_name(algorithm), salt, iterations, length

    def _derived(self, key_material):
        check_byteslike("key_material", key_material)
        name, salt, iterations, length = self._parameters
        return hashlib.pbkdf2_hmac(name, bytes(key_material), salt, iterations, length)
