"""Paddings of RSA, by name; `rsa` computes them."""

from cryptography.hazmat.primitives import hashes


class AsymmetricPadding:
    """What the paddings have in common."""


class PKCS1v15(AsymmetricPadding):
    name = "EMSA-PKCS1-v1_5"


class _MaxLength:
    """The longest salt that the key has room for."""


class _Auto:
    """Whatever length the salt of a signature has."""


class _DigestLength:
    """A salt as long as the digest."""


class MGF:
    """A function that makes masks."""


class MGF1(MGF):
    def __init__(self, algorithm):
        if not isinstance(algorithm, hashes.HashAlgorithm):
            raise TypeError("Expected instance of hashes.HashAlgorithm.")
        self._algorithm = algorithm


class PSS(AsymmetricPadding):
    MAX_LENGTH = _MaxLength()
    AUTO = _Auto()
    DIGEST_LENGTH = _DigestLength()
    name = "EMSA-PSS"

    def __init__(self, mgf, salt_length):
        self._mgf = mgf
        if not isinstance(salt_length, (int, _MaxLength, _Auto, _DigestLength)):
            raise TypeError("salt_length must be an integer, MAX_LENGTH, DIGEST_LENGTH, or AUTO")
        if isinstance(salt_length, int) and salt_length < 0:
            raise ValueError("salt_length must be zero or greater.")
        self._salt_length = salt_length

    mgf = property(lambda self: self._mgf)


class OAEP(AsymmetricPadding):
    name = "EME-OAEP"

    def __init__(self, mgf, algorithm, label):
        if not isinstance(algorithm, hashes.HashAlgorithm):
            raise TypeError("Expected instance of hashes.HashAlgorithm.")
        self._mgf, self._algorithm, self._label = mgf, algorithm, label

    mgf = property(lambda self: self._mgf)
    algorithm = property(lambda self: self._algorithm)


def calculate_max_pss_salt_length(key, hash_algorithm):
    """Octets of the longest salt that this key has room for."""
    import _cordon_rsa

    longest = _cordon_rsa.longest_salt(key.key_size, hash_algorithm.digest_size)
    if longest < 0:
        raise ValueError("Digest too large for key size. Use a larger key or different digest.")
    return longest
