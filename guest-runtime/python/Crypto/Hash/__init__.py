"""Hashes, over ``hashlib``."""


def _name(hashed):
    """The name in ``hashlib`` of a module of this package, or of a hash under way."""
    name = getattr(hashed, "hashlib_name", None) or getattr(hashed, "name", None)
    if name is None:
        raise TypeError("a hash of Crypto.Hash is needed")
    return name.lower()
