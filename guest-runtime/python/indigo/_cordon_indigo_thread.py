"""The thread in which a plugin's ``runConcurrentThread`` runs.

Owns the time of a new start: a function that returns or raises although nobody asked it
to is called again, in a new thread, after a while.
"""

import threading

import _cordon_stdio
import _cordon_traceback
from indigo import _log

# Seconds until the next attempt, and the words that plugins' users look for.
PAUSE = 10.0
_AGAIN = "plugin runConcurrentThread function returned or failed (will attempt again in 10 seconds)"

# Seconds that the thread is given to end.
GRACE = 10.0

_ERROR = 40

# The thread that runs now.
_running = None


def start(plugin, method):
    """Runs the plugin's function in a new thread."""
    global _running
    _running = threading.Thread(
        target=_run, args=(plugin, method), name="runConcurrentThread", daemon=True
    )
    _running.start()


def wait(seconds):
    """Waits for the end of the thread; whether it has ended."""
    thread = _running
    if thread is None or thread is threading.current_thread():
        return True
    thread.join(seconds)
    return not thread.is_alive()


def _run(plugin, method):
    stopping = plugin._stop_event
    try:
        method()
    except plugin.StopThread:
        pass
    except BaseException as failure:
        _log.note(
            "'runConcurrentThread' raised an exception:\n"
            + "\n".join(_cordon_traceback.lines(failure)),
            _ERROR,
        )
    finally:
        _cordon_stdio.drain()
    if stopping.is_set():
        return
    _log.note(_AGAIN, _ERROR)
    if not stopping.wait(PAUSE):
        start(plugin, method)
