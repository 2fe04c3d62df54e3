"""Diffie-Hellman over numbers: not part of this runtime. The names exist, their use is refused."""

from cryptography.utils import unsupported


def generate_parameters(*args, **kwargs):
    raise unsupported('Diffie-Hellman over numbers')


def DHParameterNumbers(*args, **kwargs):
    raise unsupported('Diffie-Hellman over numbers')


class DHPrivateKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('Diffie-Hellman over numbers')


class DHPublicKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('Diffie-Hellman over numbers')
