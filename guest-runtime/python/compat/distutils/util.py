"""``strtobool`` and other small functions."""

import os

_TRUE = ("y", "yes", "t", "true", "on", "1")
_FALSE = ("n", "no", "f", "false", "off", "0")


def strtobool(val):
    """1 or 0 for the usual words; ``ValueError`` for others."""
    word = val.lower()
    if word in _TRUE:
        return 1
    if word in _FALSE:
        return 0
    raise ValueError("invalid truth value %r" % (word,))


def get_platform():
    import sysconfig

    return sysconfig.get_platform()


def convert_path(pathname):
    return os.path.join(*pathname.split("/")) if pathname else pathname


def split_quoted(s):
    import shlex

    return shlex.split(s)
