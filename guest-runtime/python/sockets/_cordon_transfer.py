"""Functions of ``os`` that move bytes between descriptors, and questions about descriptors.

There is no kernel beneath that could do it without the plugin's memory: these read and write, a
piece at a time. ``install`` runs once, before the snapshot, after the descriptors of sockets
have their functions.
"""

import errno
import os

import _cordon_descriptor

# The largest piece that is in memory at once.
_PIECE = 64 * 1024

_NAMES = {
    "PC_NAME_MAX": 255,
    "PC_PATH_MAX": 4096,
    "PC_PIPE_BUF": 4096,
    "PC_LINK_MAX": 1,
    "PC_NO_TRUNC": 1,
}


def _error(number):
    return OSError(number, os.strerror(number))


def _positive(count):
    if count < 0:
        raise ValueError("negative value for 'count' not allowed")


def _is_socket(fd):
    return fd >= _cordon_descriptor.FIRST


def _at(offset, call, fd, *arguments):
    """Makes a call with the file's position at an offset, and puts the position back."""
    if offset < 0:
        raise _error(errno.EINVAL)
    before = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, offset, os.SEEK_SET)
    try:
        return call(fd, *arguments)
    finally:
        os.lseek(fd, before, os.SEEK_SET)


def pread(fd, n, offset, /):
    return _at(offset, os.read, fd, n)


def pwrite(fd, data, offset, /):
    return _at(offset, os.write, fd, data)


def _piece(fd, length, offset):
    return os.read(fd, length) if offset is None else os.pread(fd, length, offset)


def _written(fd, data, offset):
    return os.write(fd, data) if offset is None else os.pwrite(fd, data, offset)


def _moved(source, target, count, offset_source, offset_target):
    """Moves one piece, as the system's functions may; what is not written stays unread."""
    before = offset_source
    if before is None and not _is_socket(source):
        before = os.lseek(source, 0, os.SEEK_CUR)
    data = _piece(source, min(count, _PIECE), offset_source)
    if not data:
        return 0
    written = _written(target, data, offset_target)
    if offset_source is None and written < len(data) and not _is_socket(source):
        os.lseek(source, before + written, os.SEEK_SET)
    return written


def sendfile(out_fd, in_fd, offset, count):
    """Sends a part of a file; how many bytes of it the peer's socket took."""
    if offset is not None and offset < 0 or count < 0:
        raise _error(errno.EINVAL)
    return _moved(in_fd, out_fd, count, offset, None)


def copy_file_range(src, dst, count, offset_src=None, offset_dst=None):
    """Copies a part of a file into another one; how many bytes it was."""
    _positive(count)
    if _is_socket(src) or _is_socket(dst):
        raise _error(errno.EINVAL)
    return _moved(src, dst, count, offset_src, offset_dst)


def splice(src, dst, count, offset_src=None, offset_dst=None, flags=0):
    """Moves bytes out of a pipe or into one; how many it was."""
    _positive(count)
    pipes = [_cordon_descriptor.is_pipe(fd) for fd in (src, dst)]
    if not any(pipes):
        raise _error(errno.EINVAL)
    if pipes[0] and offset_src is not None or pipes[1] and offset_dst is not None:
        raise _error(errno.ESPIPE)
    return _moved(src, dst, count, offset_src, offset_dst)


def readv(fd, buffers, /):
    total = 0
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        data = os.read(fd, view.nbytes)
        view[: len(data)] = data
        total += len(data)
        if len(data) < view.nbytes or _is_socket(fd):
            break
    return total


def writev(fd, buffers, /):
    return os.write(fd, b"".join(buffers))


def preadv(fd, buffers, offset, flags=0, /):
    total = 0
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        data = os.pread(fd, view.nbytes, offset + total)
        view[: len(data)] = data
        total += len(data)
        if len(data) < view.nbytes:
            break
    return total


def pwritev(fd, buffers, offset, flags=0, /):
    return os.pwrite(fd, b"".join(buffers), offset)


def closerange(fd_low, fd_high, /):
    # A program that closes all that it may have open means those that exist.
    for fd in range(fd_low, min(fd_high, fd_low + 4096)):
        try:
            os.close(fd)
        except OSError:
            pass


def dup2(fd, fd2, inheritable=True):
    os.fstat(fd)
    if fd2 < 0:
        raise _error(errno.EBADF)
    if fd == fd2:
        return fd2
    raise OSError(errno.EOPNOTSUPP, "a descriptor's number cannot be chosen here; use os.dup")


def pathconf(path, name, /):
    if isinstance(path, int):
        os.fstat(path)
    else:
        os.stat(path)
    if isinstance(name, str) and name in _NAMES:
        return _NAMES[name]
    raise ValueError("unrecognized configuration name")


def _no_terminal(function):
    def refused(fd, *arguments):
        os.fstat(fd)
        raise _error(errno.ENOTTY)

    refused.__name__ = refused.__qualname__ = function
    return refused


def get_terminal_size(fd=1, /):
    os.fstat(fd)
    raise _error(errno.ENOTTY)


def memfd_create(name, flags=0):
    """A file without a name: it is removed as soon as it is open."""
    path = os.path.join("/tmp", "memfd-" + os.urandom(12).hex())
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(path)
    return fd


_own_priority = 0


def getpriority(which, who):
    if which not in (os.PRIO_PROCESS, os.PRIO_PGRP, os.PRIO_USER):
        raise _error(errno.EINVAL)
    return _own_priority


def setpriority(which, who, priority):
    """Kept and without effect: the hub divides the time."""
    global _own_priority
    getpriority(which, who)
    if priority < _own_priority:
        raise _error(errno.EACCES)
    _own_priority = min(priority, 19)


def lseek(fd, position, whence, /):
    if _is_socket(fd):
        raise _error(errno.ESPIPE)
    # The platform calls a number that is not open a pipe.
    os.fstat(fd)
    return _own_lseek(fd, position, whence)


_own_lseek = os.lseek

_FUNCTIONS = (
    pread,
    pwrite,
    sendfile,
    copy_file_range,
    splice,
    readv,
    writev,
    preadv,
    pwritev,
    closerange,
    dup2,
    pathconf,
    get_terminal_size,
    memfd_create,
    getpriority,
    setpriority,
)


def install():
    import posix

    os.lseek = lseek
    os.ttyname = _no_terminal("ttyname")
    added = {function.__name__: function for function in _FUNCTIONS}
    added["fpathconf"], added["pathconf_names"] = pathconf, dict.fromkeys(_NAMES, 0)
    added["tcgetpgrp"], added["tcsetpgrp"] = _no_terminal("tcgetpgrp"), _no_terminal("tcsetpgrp")
    for name, value in added.items():
        if not hasattr(os, name):
            setattr(os, name, value)
            setattr(posix, name, value)
            os.__all__.append(name)
