"""X448: not part of this runtime. The names exist, their use is refused."""

from cryptography.utils import unsupported


class X448PrivateKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('X448')

    @classmethod
    def generate(cls):
        raise unsupported('X448')


class X448PublicKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('X448')
