"""Objects that the hub makes, and PEM files that it reads, for module ``ssl``."""

import gc

import _cordon_tls
from _ssl_errors import made, plain


def opened(function, *arguments, **settings):
    """An object of the hub's. Forgotten objects in cycles hold theirs until collected."""
    result = function(*arguments, **settings)
    if isinstance(result, tuple) and result[0] in ("too-many", "too-large"):
        gc.collect()
        result = function(*arguments, **settings)
    return made(result)


def sections(data, what):
    """The parts of a PEM file with their kinds."""
    try:
        return _cordon_tls.pem_sections(data)
    except ValueError as damage:
        raise plain("PEM", "BAD_BASE64_DECODE", "%s: %s" % (what, damage)) from None


def certificates(data):
    """The certificates of a PEM file."""
    return [der for kind, der in sections(data, "certificate") if kind == "certificate"]
