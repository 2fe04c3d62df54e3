"""HMAC, over the standard library."""

import hmac as _hmac

from cryptography.exceptions import AlreadyFinalized, InvalidSignature
from cryptography.hazmat.primitives.hashes import HashContext, hashlib_name
from cryptography.utils import check_byteslike


class HMAC(HashContext):
    """An HMAC under way."""

    def __init__(self, key, algorithm, backend=None):
        check_byteslike("key", key)
        self._work = _hmac.new(bytes(key), digestmod=hashlib_name(algorithm))
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
        other = object.__new__(HMAC)
        other._work, other._algorithm = self._open().copy(), self._algorithm
        return other

    def finalize(self):
        digest = self._open().digest()
        self._work = None
        return digest

    def verify(self, signature):
        if not isinstance(signature, bytes):
            raise TypeError("signature must be bytes")
        if not _hmac.compare_digest(self.finalize(), signature):
            raise InvalidSignature("Signature did not match digest.")
