"""The one group that a plugin sees."""

from collections import namedtuple

import _cordon_os as _os

struct_group = namedtuple("struct_group", "gr_name gr_passwd gr_gid gr_mem")

_GROUP = struct_group(_os.USER, "x", _os.UID, [])


def getgrgid(id):
    if id != _os.UID:
        raise KeyError("getgrgid(): gid not found: %d" % id)
    return _GROUP


def getgrnam(name):
    if name != _os.USER:
        raise KeyError("getgrnam(): name not found: %r" % (name,))
    return _GROUP


def getgrall():
    return [_GROUP]
