"""Elliptic curves of NIST: not part of this runtime. The names exist, their use is refused."""

from cryptography.utils import unsupported


def generate_private_key(*args, **kwargs):
    raise unsupported('elliptic curves of NIST')


def derive_private_key(*args, **kwargs):
    raise unsupported('elliptic curves of NIST')


def ECDH(*args, **kwargs):
    raise unsupported('elliptic curves of NIST')


def ECDSA(*args, **kwargs):
    raise unsupported('elliptic curves of NIST')


def EllipticCurvePublicNumbers(*args, **kwargs):
    raise unsupported('elliptic curves of NIST')


class EllipticCurvePrivateKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('elliptic curves of NIST')


class EllipticCurvePublicKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('elliptic curves of NIST')


class SECP256R1:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('elliptic curves of NIST')


class SECP384R1:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('elliptic curves of NIST')


class SECP521R1:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('elliptic curves of NIST')
