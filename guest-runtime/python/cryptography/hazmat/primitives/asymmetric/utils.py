"""Signatures of curves as numbers, and hashes that were computed before."""

from _cordon_der import Damaged, Reader, integer, number_of, value
from cryptography.hazmat.primitives import hashes


def decode_dss_signature(signature):
    """The numbers ``r`` and ``s`` of a signature in DER."""
    try:
        body = Reader(signature).enter(0x30)
        r, s = number_of(body.take(0x02)), number_of(body.take(0x02))
    except Damaged as damage:
        raise ValueError("the signature is no DER: %s" % damage) from None
    # A second way to write a signature would be another signature of the same data.
    if encode_dss_signature(r, s) != bytes(signature):
        raise ValueError("the signature is no DER: it is longer than it has to be")
    return r, s


def encode_dss_signature(r, s):
    """The signature in DER of these numbers."""
    if not isinstance(r, int) or not isinstance(s, int):
        raise ValueError("Both r and s must be integers")
    if min(r, s) < 0:
        raise ValueError("Negative integers are not supported")
    return value(0x30, integer(r), integer(s))


class Prehashed:
    """The hash of data that a key gets instead of the data."""

    def __init__(self, algorithm):
        if not isinstance(algorithm, hashes.HashAlgorithm):
            raise TypeError("Expected instance of HashAlgorithm.")
        self._algorithm = algorithm
        self._digest_size = algorithm.digest_size

    digest_size = property(lambda self: self._digest_size)


def digest_of(data, algorithm):
    """The digest of the data, and the hash; the data itself where it was hashed before."""
    if isinstance(algorithm, Prehashed):
        if len(data) != algorithm.digest_size:
            raise ValueError("The provided data must be the same length as the hash algorithm's"
                             " digest size.")
        return bytes(data), algorithm._algorithm
    work = hashes.Hash(algorithm)
    work.update(data)
    return work.finalize(), algorithm
