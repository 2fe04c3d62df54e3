"""Small things that programs import from here."""


class CryptographyDeprecationWarning(UserWarning):
    """Something that will go away."""


def int_to_bytes(integer, length=None):
    """The number as bytes, the highest first."""
    if length == 0:
        raise ValueError("length argument can't be 0")
    return integer.to_bytes(length or (integer.bit_length() + 7) // 8 or 1, "big")


def check_bytes(name, value):
    """Raises ``TypeError`` for what is not ``bytes``."""
    if not isinstance(value, bytes):
        raise TypeError("%s must be bytes" % name)


def check_byteslike(name, value):
    """Raises ``TypeError`` for what has no bytes."""
    try:
        memoryview(value)
    except TypeError:
        raise TypeError("%s must be bytes-like" % name) from None


def unsupported(what):
    """The error for what this runtime has not."""
    from cryptography.exceptions import UnsupportedAlgorithm

    return UnsupportedAlgorithm(
        "%s is not part of the `cryptography` of this hub, which has AES, ChaCha20-Poly1305,"
        " hashes, HMAC, PBKDF2, HKDF, scrypt, RSA, ECDSA and ECDH on P-256, P-384 and P-521,"
        " X25519, Ed25519, X.509 and Fernet" % what)
