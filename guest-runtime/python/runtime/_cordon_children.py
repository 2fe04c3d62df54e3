"""Processes as module ``os`` shows them.

Owns the numbers of the processes that the plugin has started, and the functions of ``os`` and
``shutil`` that deal with processes. ``subprocess`` starts them.
"""

import errno
import os
import shutil

import _cordon_processes as hub

SIGKILL = 9
SIGTERM = 15

WNOHANG = 1

# Return codes of processes that were started here and not yet waited for with
# os.waitpid; None while nobody knows.
codes = {}


def status(code):
    """The status that ``os.wait`` shows for a return code."""
    return code << 8 if code >= 0 else -code


def kill(pid, sig, /):
    """Sends a signal to a process that this plugin has started, or to itself."""
    if pid in (0, os.getpid()):
        if sig:
            import signal

            signal.raise_signal(sig)
        return
    if not hub.signal(pid, int(sig)):
        raise ProcessLookupError(errno.ESRCH, "No process of this plugin has this number")


def waitpid(pid, options, /):
    """Waits for a process that this plugin has started with ``subprocess``."""
    if pid not in codes:
        raise ChildProcessError(errno.ECHILD, "No process of this plugin has this number")
    code = hub.wait(pid, 0 if options & WNOHANG else None)
    if code is None:
        return 0, 0
    del codes[pid]
    return pid, status(code)


def getpgid(pid, /):
    """Every process leads a group of its own."""
    return pid


def setsid():
    """For ``preexec_fn``: a process has a group of its own in any case."""
    raise PermissionError(errno.EPERM, "a plugin has no session; pass os.setsid as preexec_fn")


def setpgrp():
    """For ``preexec_fn``: a process has a group of its own in any case."""
    raise PermissionError(errno.EPERM, "a plugin has no group; pass os.setpgrp as preexec_fn")


def waitstatus_to_exitcode(status):
    """The return code for a status of ``waitpid``."""
    return status >> 8 if not status & 0x7F else -(status & 0x7F)


def _refused(name):
    def refused(*args, **kwargs):
        raise OSError(
            errno.ENOSYS,
            "os.%s is not available: a plugin is no process of its own; use subprocess with"
            ' a grant `exec` for the program' % name,
        )

    refused.__name__ = refused.__qualname__ = name
    return refused


_REFUSED = (
    "fork",
    "forkpty",
    "posix_spawn",
    "posix_spawnp",
    "execl",
    "execle",
    "execlp",
    "execlpe",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "spawnl",
    "spawnle",
    "spawnlp",
    "spawnlpe",
    "spawnv",
    "spawnve",
    "spawnvp",
    "spawnvpe",
)


def _which(original):
    def which(cmd, mode=os.F_OK | os.X_OK, path=None):
        found = original(cmd, mode, path)
        if found is None:
            found = hub.find(os.fsdecode(cmd))
        return found

    which.__doc__ = original.__doc__
    return which


def install():
    """Puts the functions into ``os`` and ``shutil``."""
    os.kill = os.killpg = kill
    os.waitpid = waitpid
    os.waitstatus_to_exitcode = waitstatus_to_exitcode
    os.getpgid = getpgid
    os.setsid = setsid
    os.setpgrp = setpgrp
    os.WNOHANG = WNOHANG
    os.WIFEXITED = lambda status: not status & 0x7F
    os.WEXITSTATUS = lambda status: status >> 8 & 0xFF
    os.WIFSIGNALED = lambda status: bool(status & 0x7F)
    os.WTERMSIG = lambda status: status & 0x7F
    # No process of the hub's is ever stopped or leaves a core file.
    os.WIFSTOPPED = os.WIFCONTINUED = os.WCOREDUMP = lambda status: False
    os.WSTOPSIG = lambda status: 0
    for name in _REFUSED:
        setattr(os, name, _refused(name))
    shutil.which = _which(shutil.which)
