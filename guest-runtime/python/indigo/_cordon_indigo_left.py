"""Threads that a plugin has left running at its end.

Owns the choice of those that are waited for, as at the end of a process. Daemon threads
end with the plugin, whatever they do, and so do those that module ``_thread`` started;
the others are waited for. Pools of workers are told first that the plugin ends. Functions
that were registered with module ``atexit`` run when no thread is waited for any more. The
hub waits; this module only names the threads.
"""

import atexit
import threading

# Longest name that is told, and most of them.
_LENGTH = 60
_COUNT = 20

# Whether pools of workers have been told, and whether the registered functions ran.
_told = False
_over = False


def names():
    """The names of the threads that still have to be waited for."""
    global _told, _over
    if not _told:
        _told = True
        _tell()
    own = (threading.main_thread(), threading.current_thread())
    left = [
        thread.name
        for thread in threading.enumerate()
        if not thread.daemon and thread.is_alive() and thread not in own
    ]
    if not left and not _over:
        _over = True
        # Their exceptions are in the log and are not raised here.
        atexit._run_exitfuncs()
    return [str(name)[:_LENGTH] for name in left[:_COUNT]]


def _tell():
    """Runs the functions that modules registered for the end of the interpreter's threads.

    They run in a thread of their own: a pool waits there for its workers, which may be at work.
    """
    registered = getattr(threading, "_threading_atexits", ())
    if registered:
        threading.Thread(target=_run, args=(list(registered),), daemon=True).start()


def _run(registered):
    for function in reversed(registered):
        try:
            function()
        except Exception:
            # Nobody is left who could do something about it.
            pass
