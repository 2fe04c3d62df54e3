"""Descriptors of sockets in module ``os``, and the questions of the selectors.

Files belong to the system interface and have small numbers, sockets belong to the hub
and have numbers from 10000 on. Owns the few functions of ``os`` that programs call
with either. ``install`` runs once, before the snapshot.
"""

import errno
import os
import stat

import _cordon_socket
import _socket

from _cordon_identity import UID

FIRST = 10000

_read, _write, _close = os.read, os.write, os.close
_set_blocking = getattr(os, "set_blocking", None)
_get_blocking = getattr(os, "get_blocking", None)

# Numbers that os.set_blocking has made non-blocking, with nothing else to hold it:
# the hub's sockets never block, waiting is the business of the caller.
_nonblocking = set()

# Numbers that a program said it would hand on; there is no process to hand them on to.
_inheritable = set()

# Numbers that `pipe` gave out.
_pipes = set()

_fstat = None

# The figures that programs ask the system for: buffers of one call, sizes, processors.
_SYSTEM = {
    "SC_IOV_MAX": 1024,
    "SC_PAGE_SIZE": 65536,
    "SC_PAGESIZE": 65536,
    "SC_CLK_TCK": 100,
    "SC_NPROCESSORS_CONF": 1,
    "SC_NPROCESSORS_ONLN": 1,
    "SC_OPEN_MAX": 1024,
    "SC_HOST_NAME_MAX": 64,
}


def install():
    global _fstat
    _fstat, os.fstat = os.fstat, fstat
    os.supports_fd.add(fstat)
    os.read, os.write, os.close = read, write, close
    os.set_blocking, os.get_blocking = set_blocking, get_blocking
    os.get_inheritable, os.set_inheritable = get_inheritable, set_inheritable
    os.dup = dup
    os.pipe = pipe
    os.pipe2 = lambda flags, /: pipe()
    if not hasattr(os, "sysconf"):
        os.sysconf, os.sysconf_names = sysconf, dict.fromkeys(_SYSTEM, 0)


def _borrow(fd):
    """A socket object for a number that goes on to belong to its caller."""
    borrowed = _socket.socket(fileno=fd)
    borrowed.settimeout(0 if fd in _nonblocking else None)
    return borrowed


def read(fd, length, /):
    if fd < FIRST:
        return _read(fd, length)
    borrowed = _borrow(fd)
    try:
        return borrowed.recv(length)
    finally:
        borrowed.detach()


def write(fd, data, /):
    if fd < FIRST:
        return _write(fd, data)
    borrowed = _borrow(fd)
    try:
        return borrowed.send(data)
    finally:
        borrowed.detach()


def close(fd):
    _nonblocking.discard(fd)
    if fd < FIRST:
        return _close(fd)
    _inheritable.discard(fd)
    _pipes.discard(fd)
    _socket.close(fd)


def set_blocking(fd, blocking, /):
    if fd >= FIRST:
        if blocking:
            _nonblocking.discard(fd)
        else:
            _nonblocking.add(fd)
    elif _set_blocking is not None:
        _set_blocking(fd, blocking)
    else:
        # Reading a file never waits for long: this is for programs that read it back.
        os.fstat(fd)
        (_nonblocking.discard if blocking else _nonblocking.add)(fd)


def get_blocking(fd, /):
    if fd >= FIRST:
        return fd not in _nonblocking
    if _get_blocking is not None:
        return _get_blocking(fd)
    os.fstat(fd)
    return fd not in _nonblocking


def _check(fd):
    if fd >= FIRST:
        _borrow(fd).detach()
    else:
        os.fstat(fd)


def get_inheritable(fd, /):
    _check(fd)
    return fd in _inheritable


def set_inheritable(fd, inheritable, /):
    _check(fd)
    if inheritable:
        _inheritable.add(fd)
    else:
        _inheritable.discard(fd)


def dup(fd, /):
    if fd >= FIRST:
        return _cordon_socket.dup(fd)
    os.fstat(fd)
    raise OSError(
        errno.EOPNOTSUPP, "descriptors of files cannot be duplicated; open the file again"
    )


def fstat(fd):
    if fd < FIRST:
        return _fstat(fd)
    _check(fd)
    kind = stat.S_IFIFO if fd in _pipes else stat.S_IFSOCK
    return os.stat_result((kind | 0o600, fd, 0, 1, UID, UID, 0, 0, 0, 0))


def is_pipe(fd):
    """Whether the number is an end of a pipe."""
    return fd in _pipes


def pipe():
    """Two connected descriptors: one to read from, one to write to."""
    reader, writer = _cordon_socket.pair(_socket.SOCK_STREAM)
    for fd, direction in ((reader, _socket.SHUT_WR), (writer, _socket.SHUT_RD)):
        half = _socket.socket(fileno=fd)
        half.shutdown(direction)
        half.detach()
    _pipes.update((reader, writer))
    return reader, writer


def sysconf(name, /):
    if name not in _SYSTEM:
        raise ValueError("unrecognized configuration name")
    return _SYSTEM[name]
