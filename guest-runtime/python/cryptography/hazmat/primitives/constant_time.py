"""Comparing secrets."""

import hmac


def bytes_eq(a, b):
    """Whether both are equal, in a time that does not tell where they differ."""
    if not isinstance(a, bytes) or not isinstance(b, bytes):
        raise TypeError("a and b must be bytes.")
    return hmac.compare_digest(a, b)
