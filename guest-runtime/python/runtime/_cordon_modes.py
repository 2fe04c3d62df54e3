"""Owners and permission bits of files, which the platform does not have.

Every file belongs to the plugin's one user. A program finds the bits that a new file
would have, 0o644, or 0o755 for a folder, or those that it set itself. They are kept as
long as the plugin runs and forbid nothing: the folders decide which files may be
written.
"""

import os
import stat as _stat

import _cordon_open

from _cordon_identity import UID

FILE, FOLDER = 0o644, 0o755

# The modes that were set, by device and number of the file.
_kept = {}
_umask = 0o022

_own_stat, _own_lstat, _own_fstat = os.stat, os.lstat, os.fstat
_own_mkdir, _own_open = os.mkdir, os.open


def install():
    """Replaces functions of ``os``. The import system goes on with its own."""
    for name in ("stat", "lstat", "fstat", "mkdir", "open"):
        former, function = getattr(os, name), globals()[name]
        for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if former in able:
                able.add(function)
        setattr(os, name, function)
    os.chmod, os.fchmod, os.lchmod, os.umask = chmod, fchmod, lchmod, umask


def _shown(found):
    """The same with an owner and bits."""
    mode = found.st_mode
    bits = _kept.get((found.st_dev, found.st_ino)) if _kept else None
    if bits is None:
        bits = FOLDER if _stat.S_ISDIR(mode) else FILE
    values = found.__reduce__()[1][0]
    return os.stat_result((_stat.S_IFMT(mode) | bits, *values[1:4], UID, UID, *values[6:]))


def _keep(found, bits):
    key = found.st_dev, found.st_ino
    if bits == (FOLDER if _stat.S_ISDIR(found.st_mode) else FILE):
        _kept.pop(key, None)
    else:
        _kept[key] = bits


def stat(path, *, dir_fd=None, follow_symlinks=True):
    if dir_fd is None and follow_symlinks:
        try:
            return _shown(_own_stat(path))
        except FileNotFoundError:
            if path != os.devnull and not _cordon_open.is_granted_port(path):
                raise
            # These are known to `open` and to `serial` only.
            return os.stat_result((_stat.S_IFCHR | 0o666, 0, 0, 1, UID, UID, 0, 0, 0, 0))
    return _shown(_own_stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks))


def lstat(path, *, dir_fd=None):
    return _shown(_own_lstat(path, dir_fd=dir_fd))


def fstat(fd):
    return _shown(_own_fstat(fd))


def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
    if isinstance(path, int):
        found = _own_fstat(path)
    else:
        found = _own_stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    _keep(found, mode & 0o7777)


def fchmod(fd, mode):
    chmod(fd, mode)


def lchmod(path, mode):
    chmod(path, mode, follow_symlinks=False)


def umask(mask):
    global _umask
    before, _umask = _umask, mask & 0o777
    return before


def mkdir(path, mode=0o777, *, dir_fd=None):
    _own_mkdir(path, mode, dir_fd=dir_fd)
    bits = mode & 0o1777 & ~_umask
    if bits != FOLDER or _kept:
        _keep(_own_stat(path, dir_fd=dir_fd), bits)


def open(path, flags, mode=0o777, *, dir_fd=None):
    try:
        fd = _own_open(path, flags, mode, dir_fd=dir_fd)
    except FileNotFoundError:
        if not _cordon_open.is_port(path):
            raise
        raise _cordon_open.port_refused(path) from None
    # Otherwise the file may have been there.
    if flags & os.O_CREAT and flags & os.O_EXCL:
        _keep(_own_fstat(fd), mode & 0o7777 & ~_umask)
    return fd
