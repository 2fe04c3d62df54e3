"""The one user that a plugin sees."""

from collections import namedtuple

import _cordon_os as _os

struct_passwd = namedtuple(
    "struct_passwd", "pw_name pw_passwd pw_uid pw_gid pw_gecos pw_dir pw_shell"
)

_USER = struct_passwd(_os.USER, "x", _os.UID, _os.UID, "", _os.DATA, "/bin/sh")


def getpwuid(uid):
    if uid != _os.UID:
        raise KeyError("getpwuid(): uid not found: %d" % uid)
    return _USER


def getpwnam(name):
    if name != _os.USER:
        raise KeyError("getpwnam(): name not found: %r" % (name,))
    return _USER


def getpwall():
    return [_USER]
