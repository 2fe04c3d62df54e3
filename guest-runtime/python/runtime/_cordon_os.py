"""The parts of module ``os`` that the platform lacks, and the system's names.

A plugin runs alone in its component: there is one user, one process and one machine,
and they never change. The module owns these answers; functions that exist already are
left as they are.
"""

import errno
import os
import stat
import sys

from _cordon_identity import UID, USER
from _cordon_refusal import refused

MACHINE = "wasm32"
RELEASE = "6.0.0-cordon"

# The places of a plugin. The working directory is the data folder, so that a
# relative path leads to where files can be written and kept.
DATA = "/data"
TEMPORARY = "/tmp"
CODE = "/cache"
EXECUTABLE = "/usr/local/bin/python3"

_THREADS = "use threading or concurrent.futures.ThreadPoolExecutor"


def install():
    """Adds to ``os`` and ``posix``. Runs before the snapshot, after ``os`` and before
    the modules that look at the names of ``os``."""
    import posix

    for name, function in _FUNCTIONS.items():
        if not hasattr(os, name):
            setattr(os, name, function)
            setattr(posix, name, function)
    for name, value in _CONSTANTS.items():
        if not hasattr(os, name):
            setattr(os, name, value)
            setattr(posix, name, value)
    # The platform has these functions, but they only say that they are not supported.
    for name, function in (
        ("access", access),
        ("symlink", symlink),
        ("chdir", chdir),
        ("scandir", scandir),
    ):
        setattr(os, name, function)
        setattr(posix, name, function)
    for name, function in _FUNCTIONS.items():
        if name not in os.__all__ and not name.startswith("_"):
            os.__all__.append(name)
    os.supports_effective_ids = set()


def describe_system():
    """Names the platform as plugins know it. Last before the snapshot: modules of
    the standard library that are loaded by then have looked at the real name."""
    # Its data are those of a module that is named after the real platform.
    import sysconfig

    sysconfig.get_config_vars()
    sys.platform = "linux"
    kept = sys.version.partition("[")
    sys.version = "%d.%d.%d (cordon) %s%s" % (*sys.version_info[:3], kept[1], kept[2])


# The variables that every program has in its environment.
ENVIRONMENT = {
    "HOME": DATA,
    "USER": USER,
    "LOGNAME": USER,
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TMPDIR": TEMPORARY,
}


# The machine and the user.


def uname():
    return os.uname_result(("Linux", _node(), RELEASE, "#1 Cordon", MACHINE))


def _node():
    try:
        import socket

        return socket.gethostname() or "localhost"
    except (ImportError, AttributeError, OSError):
        return "localhost"


def _make_uname_result():
    """A sequence with names, as ``os.uname_result`` is."""
    from collections import namedtuple

    fields = namedtuple("uname_result", "sysname nodename release version machine")

    class uname_result(fields):
        __slots__ = ()

        def __new__(cls, sequence):
            return fields.__new__(cls, *sequence)

        def __getnewargs__(self):
            return (tuple(self),)

        def __repr__(self):
            return "posix." + fields.__repr__(self)

    uname_result.__module__ = "posix"
    uname_result.__qualname__ = "uname_result"
    return uname_result


def getlogin():
    return USER


def getppid():
    return 1


def _uid():
    return UID


def getgroups():
    return [UID]


def _own_group(pid=0):
    return os.getpid()


def getloadavg():
    return (0.0, 0.0, 0.0)


def times():
    import time

    used = time.process_time()
    return os.times_result((used, 0.0, 0.0, 0.0, time.monotonic()))


def _make_times_result():
    from collections import namedtuple

    fields = namedtuple("times_result", "user system children_user children_system elapsed")

    class times_result(fields):
        __slots__ = ()

        def __new__(cls, sequence):
            return fields.__new__(cls, *sequence)

        def __getnewargs__(self):
            return (tuple(self),)

    times_result.__module__ = "posix"
    times_result.__qualname__ = "times_result"
    return times_result


def nice(increment):
    return 0


def sched_yield():
    import time

    time.sleep(0)


def sched_getaffinity(pid):
    return {0}


# Files.

_chdir = os.chdir


def chdir(path):
    """The platform keeps dots in the working folder and fails once the folder before
    them is gone; so it is given the plain path."""
    path = os.fsdecode(path)
    _chdir(os.path.normpath(os.path.join(os.getcwd(), path)) if path else path)


_scandir = os.scandir


def scandir(path=None):
    """The platform takes an empty name for the working folder."""
    if isinstance(path, (str, bytes)) and not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return _scandir(path)


def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    try:
        found = os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    except (OSError, ValueError):
        return False
    if mode & os.W_OK and not _writable(path, dir_fd):
        return False
    return not mode & os.X_OK or bool(found.st_mode & 0o111)


def _writable(path, dir_fd):
    """Sets the times that the file has, which is refused where nothing can be written."""
    try:
        found = os.stat(path, dir_fd=dir_fd)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns), dir_fd=dir_fd)
    except (OSError, ValueError):
        return False
    return True


def chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True):
    if isinstance(path, int):
        os.fstat(path)
    else:
        os.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    if uid not in (-1, UID) or gid not in (-1, UID):
        raise PermissionError(errno.EPERM, "files of a plugin are its own", path)


def fchown(fd, uid, gid):
    chown(fd, uid, gid)


def lchown(path, uid, gid):
    chown(path, uid, gid, follow_symlinks=False)


def symlink(src, dst, target_is_directory=False, *, dir_fd=None):
    raise PermissionError(errno.EPERM, "links cannot be made in a plugin's folders", dst)


def mkfifo(path, mode=0o666, *, dir_fd=None):
    raise PermissionError(errno.EPERM, "pipes cannot be made in a plugin's folders", path)


def mknod(path, mode=0o600, device=0, *, dir_fd=None):
    raise PermissionError(errno.EPERM, "devices cannot be made", path)


def getrandom(size, flags=0):
    if size < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return os.urandom(size)


def sync():
    """Does nothing: ``os.fsync`` makes a file safe."""


def _make_statvfs_result():
    from collections import namedtuple

    fields = namedtuple(
        "statvfs_result",
        "f_bsize f_frsize f_blocks f_bfree f_bavail f_files f_ffree f_favail f_flag f_namemax",
    )

    class statvfs_result(fields):
        __slots__ = ()
        f_fsid = 0

        def __new__(cls, sequence):
            return fields.__new__(cls, *sequence)

        def __getnewargs__(self):
            return (tuple(self),)

    statvfs_result.__module__ = "os"
    statvfs_result.__qualname__ = "statvfs_result"
    return statvfs_result


_BLOCK = 4096


def statvfs(path):
    """The room that the quota leaves, whichever folder is asked for."""
    import _cordon

    if isinstance(path, int):
        os.fstat(path)
    else:
        os.stat(path)
    bytes_used, bytes_limit, files_used, files_limit = _cordon.storage()
    blocks, files = bytes_limit // _BLOCK, files_limit
    free = max(0, bytes_limit - bytes_used) // _BLOCK
    spare = max(0, files_limit - files_used)
    return os.statvfs_result((_BLOCK, _BLOCK, blocks, free, free, files, spare, spare, 0, 255))


# Processes.


# The figures that programs ask for; a page is WebAssembly's.
_SYSCONF = {
    "SC_PAGE_SIZE": 65536,
    "SC_PAGESIZE": 65536,
    "SC_NPROCESSORS_ONLN": 1,
    "SC_CLK_TCK": 100,
    "SC_IOV_MAX": 1024,
}


def _sysconf(name, /):
    if name not in _SYSCONF:
        raise ValueError("unrecognized configuration name")
    return _SYSCONF[name]


_FUNCTIONS = {
    "uname": uname,
    "uname_result": _make_uname_result(),
    "getlogin": getlogin,
    "getppid": getppid,
    "getuid": _uid,
    "geteuid": _uid,
    "getgid": _uid,
    "getegid": _uid,
    "getgroups": getgroups,
    "getpgid": _own_group,
    "getsid": _own_group,
    "getpgrp": lambda: os.getpid(),
    "getloadavg": getloadavg,
    "times": times,
    "times_result": _make_times_result(),
    "nice": nice,
    "sched_yield": sched_yield,
    "sched_getaffinity": sched_getaffinity,
    "chown": chown,
    "fchown": fchown,
    "lchown": lchown,
    "mkfifo": mkfifo,
    "mknod": mknod,
    "sync": sync,
    "getrandom": getrandom,
    "statvfs": statvfs,
    "fstatvfs": statvfs,
    "statvfs_result": _make_statvfs_result(),
    "setuid": refused("os.setuid", "there is one user"),
    "setgid": refused("os.setgid", "there is one user"),
    "seteuid": refused("os.seteuid", "there is one user"),
    "setegid": refused("os.setegid", "there is one user"),
    "setsid": refused("os.setsid", "a plugin is one process"),
    "setpgid": refused("os.setpgid", "a plugin is one process"),
    "chroot": refused("os.chroot", "a plugin sees its own folders only"),
    "fork": refused("os.fork", _THREADS),
    "forkpty": refused("os.forkpty", _THREADS),
    # Modules register where they find `fork`: nothing will ever call them.
    "register_at_fork": lambda *, before=None, after_in_child=None, after_in_parent=None: None,
    "sysconf": _sysconf,
    "sysconf_names": _SYSCONF,
    "openpty": refused("os.openpty", "there are no terminals"),
    "ttyname": refused("os.ttyname", "there are no terminals"),
}

_CONSTANTS = {
    "EX_OK": 0,
    "EX_USAGE": 64,
    "EX_DATAERR": 65,
    "EX_NOINPUT": 66,
    "EX_UNAVAILABLE": 69,
    "EX_SOFTWARE": 70,
    "EX_OSERR": 71,
    "EX_IOERR": 74,
    "EX_CONFIG": 78,
    "EX_NOUSER": 67,
    "EX_NOHOST": 68,
    "EX_CANTCREAT": 73,
    "EX_OSFILE": 72,
    "EX_TEMPFAIL": 75,
    "EX_PROTOCOL": 76,
    "EX_NOPERM": 77,
    "O_NONBLOCK": 0o4000,
    "O_CLOEXEC": 0o2000000,
    # The platform's own number.
    "O_DIRECTORY": 0x2000,
    "P_WAIT": 0,
    "P_NOWAIT": 1,
    "GRND_NONBLOCK": 1,
    "GRND_RANDOM": 2,
    "PRIO_PROCESS": 0,
    "ST_RDONLY": 1,
    "ST_NOSUID": 2,
}
