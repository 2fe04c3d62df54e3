"""DSA: not part of this runtime. The names exist, their use is refused."""

from cryptography.utils import unsupported


def generate_private_key(*args, **kwargs):
    raise unsupported('DSA')


def generate_parameters(*args, **kwargs):
    raise unsupported('DSA')


class DSAPrivateKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('DSA')


class DSAPublicKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('DSA')
