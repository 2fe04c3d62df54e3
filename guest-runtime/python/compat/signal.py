"""Signals, of which none ever reaches a plugin.

The hub ends a plugin with ``onStop``. Handlers can be set, as plugins do to be
told of their end, and are kept; only ``raise_signal`` and ``os.kill`` on the plugin
itself call them. Timers that would send a signal are refused.
"""

import enum
import errno as _errno
import os as _os

from _cordon_refusal import refused as _refused


class Signals(enum.IntEnum):
    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31
    # Other names of the same.
    SIGIOT = 6
    SIGCLD = 17
    SIGPOLL = 29


class Handlers(enum.IntEnum):
    SIG_DFL = 0
    SIG_IGN = 1


class Sigmasks(enum.IntEnum):
    SIG_BLOCK = 0
    SIG_UNBLOCK = 1
    SIG_SETMASK = 2


globals().update(Signals.__members__)
globals().update(Handlers.__members__)
globals().update(Sigmasks.__members__)

NSIG = 65
ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = 0, 1, 2
ItimerError = OSError

_DESCRIPTIONS = {
    1: "Hangup",
    2: "Interrupt",
    3: "Quit",
    4: "Illegal instruction",
    5: "Trace/breakpoint trap",
    6: "Aborted",
    7: "Bus error",
    8: "Floating point exception",
    9: "Killed",
    10: "User defined signal 1",
    11: "Segmentation fault",
    12: "User defined signal 2",
    13: "Broken pipe",
    14: "Alarm clock",
    15: "Terminated",
    17: "Child exited",
    18: "Continued",
    19: "Stopped (signal)",
    20: "Stopped",
}

_WHY = "no signal reaches a plugin; use threading.Timer"


def default_int_handler(signalnum, frame):
    """Raises ``KeyboardInterrupt``."""
    raise KeyboardInterrupt


_handlers = {Signals.SIGINT: default_int_handler}
_wakeup = -1


def _checked(signalnum):
    number = int(signalnum)
    if not 1 <= number < NSIG:
        raise ValueError("signal number out of range")
    try:
        return Signals(number)
    except ValueError:
        return number


def _not_in_a_thread():
    import threading

    if threading.current_thread() is not threading.main_thread():
        raise ValueError("signal only works in main thread of the main interpreter")


def signal(signalnum, handler):
    """Keeps a handler and returns the one before."""
    number = _checked(signalnum)
    _not_in_a_thread()
    if handler in (0, 1) and not callable(handler):
        handler = Handlers(handler)
    elif not callable(handler):
        raise TypeError(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        )
    if number in (Signals.SIGKILL, Signals.SIGSTOP):
        raise OSError(_errno.EINVAL, "Invalid argument")
    before = getsignal(number)
    _handlers[number] = handler
    return before


def getsignal(signalnum):
    return _handlers.get(_checked(signalnum), Handlers.SIG_DFL)


def raise_signal(signalnum):
    """Calls the handler of a signal; without one the plugin exits, as a process
    would end."""
    number = _checked(signalnum)
    handler = getsignal(number)
    if handler == Handlers.SIG_IGN:
        return
    if callable(handler):
        import sys

        handler(int(number), sys._getframe(1))
    elif number not in (Signals.SIGCHLD, Signals.SIGCONT, Signals.SIGURG, Signals.SIGWINCH):
        raise SystemExit(128 + number)


def strsignal(signalnum):
    return _DESCRIPTIONS.get(int(_checked(signalnum)))


def valid_signals():
    return set(Signals)


def set_wakeup_fd(fd, *, warn_on_full_buffer=True):
    """Keeps the descriptor that a signal would write to."""
    global _wakeup
    _not_in_a_thread()
    before, _wakeup = _wakeup, fd
    return before


def siginterrupt(signalnum, flag):
    _checked(signalnum)


def pthread_sigmask(how, mask):
    return set()


def sigpending():
    return set()


def pthread_kill(thread_id, signalnum):
    raise_signal(signalnum)


def getitimer(which):
    return (0.0, 0.0)


def alarm(seconds):
    """0 cancels the alarm that never was; anything else is refused."""
    if seconds:
        raise _alarm()
    return 0


def setitimer(which, seconds, interval=0.0):
    if seconds:
        raise _alarm()
    return (0.0, 0.0)


def _alarm():
    from _cordon_refusal import refusal

    return refusal("signal.alarm", _WHY)


pause = _refused("signal.pause", _WHY)
sigwait = _refused("signal.sigwait", _WHY)
sigwaitinfo = _refused("signal.sigwaitinfo", _WHY)
sigtimedwait = _refused("signal.sigtimedwait", _WHY)

__all__ = [name for name in globals() if not name.startswith("_") and name != "enum"]
