"""RSA: not part of this runtime. The names exist, their use is refused."""

from cryptography.utils import unsupported


def generate_private_key(*args, **kwargs):
    raise unsupported('RSA')


def RSAPublicNumbers(*args, **kwargs):
    raise unsupported('RSA')


def RSAPrivateNumbers(*args, **kwargs):
    raise unsupported('RSA')


class RSAPrivateKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('RSA')


class RSAPublicKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('RSA')
