"""Error numbers of the hub's system as this interpreter numbers them.

The hub speaks of errors in Linux's numbers; those of the interpreter's platform
may differ. What plugins compare with are the names of module ``errno``.
"""

import errno

_NAMES = {
    1: "EPERM", 2: "ENOENT", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG", 8: "ENOEXEC",
    9: "EBADF", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 16: "EBUSY", 17: "EEXIST",
    19: "ENODEV", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 23: "ENFILE", 24: "EMFILE",
    25: "ENOTTY", 26: "ETXTBSY", 28: "ENOSPC", 32: "EPIPE", 36: "ENAMETOOLONG", 40: "ELOOP",
    90: "EMSGSIZE", 97: "EAFNOSUPPORT", 99: "EADDRNOTAVAIL", 100: "ENETDOWN",
    101: "ENETUNREACH", 104: "ECONNRESET", 110: "ETIMEDOUT", 111: "ECONNREFUSED",
    112: "EHOSTDOWN", 113: "EHOSTUNREACH",
}


def local(number):
    """The number here for a number of the hub's; unknown ones stay as they are."""
    return getattr(errno, _NAMES.get(number, ""), number)
