"""Hashes, over ``hashlib``."""

import hashlib

from cryptography.exceptions import AlreadyFinalized
from cryptography.utils import check_byteslike, unsupported


class HashAlgorithm:
    """What the hashes have in common."""

    name = None
    digest_size = None
    block_size = None

    # What `hashlib` calls it.
    _hashlib = None


class HashContext:
    """A hash under way."""


class ExtendableOutputFunction:
    """A hash whose length is chosen."""


def _declared(name, hashlib_name, digest_size, block_size):
    return type(name, (HashAlgorithm,), {
        "name": hashlib_name.replace("_", "-") if name.startswith("SHA3") else name.lower(),
        "_hashlib": hashlib_name, "digest_size": digest_size, "block_size": block_size,
        "__module__": __name__,
    })


MD5 = _declared("MD5", "md5", 16, 64)
SHA1 = _declared("SHA1", "sha1", 20, 64)
SHA224 = _declared("SHA224", "sha224", 28, 64)
SHA256 = _declared("SHA256", "sha256", 32, 64)
SHA384 = _declared("SHA384", "sha384", 48, 128)
SHA512 = _declared("SHA512", "sha512", 64, 128)
SHA3_224 = _declared("SHA3_224", "sha3_224", 28, None)
SHA3_256 = _declared("SHA3_256", "sha3_256", 32, None)
SHA3_384 = _declared("SHA3_384", "sha3_384", 48, None)
SHA3_512 = _declared("SHA3_512", "sha3_512", 64, None)


class BLAKE2b(HashAlgorithm):
    name, _hashlib, block_size = "blake2b", "blake2b", 128

    def __init__(self, digest_size):
        if digest_size != 64:
            raise ValueError("Digest size must be 64")
        self.digest_size = digest_size


class BLAKE2s(HashAlgorithm):
    name, _hashlib, block_size = "blake2s", "blake2s", 64

    def __init__(self, digest_size):
        if digest_size != 32:
            raise ValueError("Digest size must be 32")
        self.digest_size = digest_size


def hashlib_name(algorithm):
    """What `hashlib` calls this hash; raises for what is none."""
    if not isinstance(algorithm, HashAlgorithm):
        raise TypeError("Expected instance of hashes.HashAlgorithm.")
    if algorithm._hashlib is None:
        raise unsupported("hash %s" % algorithm.name)
    return algorithm._hashlib


class Hash(HashContext):
    """A hash under way."""

    def __init__(self, algorithm, backend=None):
        self._work = hashlib.new(hashlib_name(algorithm))
        self._algorithm = algorithm

    algorithm = property(lambda self: self._algorithm)

    def _open(self):
        if self._work is None:
            raise AlreadyFinalized("Context was already finalized.")
        return self._work

    def update(self, data):
        check_byteslike("data", data)
        self._open().update(data)

    def copy(self):
        other = object.__new__(Hash)
        other._work, other._algorithm = self._open().copy(), self._algorithm
        return other

    def finalize(self):
        digest = self._open().digest()
        self._work = None
        return digest
