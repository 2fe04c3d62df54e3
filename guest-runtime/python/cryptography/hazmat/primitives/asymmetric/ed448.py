"""Ed448: not part of this runtime. The names exist, their use is refused."""

from cryptography.utils import unsupported


class Ed448PrivateKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('Ed448')

    @classmethod
    def generate(cls):
        raise unsupported('Ed448')


class Ed448PublicKey:
    """Nothing has this type here."""

    def __init__(self, *args, **kwargs):
        raise unsupported('Ed448')
