"""Ciphers by name."""

from cryptography.utils import check_byteslike


class _Aes:
    name, block_size = "AES", 128
    key_sizes = frozenset((128, 192, 256))

    def __init__(self, key):
        check_byteslike("key", key)
        if len(key) * 8 not in self.key_sizes:
            raise ValueError("Invalid key size (%d) for AES." % (len(key) * 8))
        self.key = bytes(key)

    key_size = property(lambda self: len(self.key) * 8)


class AES(_Aes):
    """AES with a key of any of its lengths."""


class AES128(_Aes):
    """AES with a key of 128 bits."""

    key_sizes = frozenset((128,))


class AES256(_Aes):
    """AES with a key of 256 bits."""

    key_sizes = frozenset((256,))


class _Missing:
    """A cipher that exists, but not here; ``Cipher`` refuses it."""

    block_size = 64

    def __init__(self, key, nonce=None):
        self.key = key


class TripleDES(_Missing):
    name = "3DES"


class Blowfish(_Missing):
    name = "Blowfish"


class Camellia(_Missing):
    name = "Camellia"


class ARC4(_Missing):
    name = "RC4"


class ChaCha20(_Missing):
    name = "ChaCha20 without Poly1305"
