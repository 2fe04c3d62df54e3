"""An answer that a callback leaves to another thread.

Owns the hand-over. The caller of the action waits for the answer, and so does the next
callback: the contract has one answer per call.
"""

import threading

from indigo import _plugin

# Seconds that an answer may take; the web server gives up after as many.
PATIENCE = 20.0

# The handler that the running callback acquired, if it did.
_acquired = None


class CallbackCompleteHandler:
    """Answers in place of the callback; once."""

    def __init__(self):
        self._done = threading.Event()
        self._result = None
        self._failure = None

    def returnResult(self, result=None):
        """Answers with this value."""
        self._result = result
        self._done.set()

    def returnException(self, exception):
        """Answers with this exception, which the caller sees raised."""
        if not isinstance(exception, BaseException):
            exception = RuntimeError(str(exception))
        self._failure = exception
        self._done.set()


def acquireCallbackCompleteHandler():
    """Leaves the answer of the running callback to the returned object."""
    global _acquired
    if _plugin.active is None:
        raise RuntimeError("acquireCallbackCompleteHandler() is for callbacks of a plugin")
    _acquired = CallbackCompleteHandler()
    return _acquired


def settled(result):
    """The answer of a callback that returned ``result``."""
    global _acquired
    handler, _acquired = _acquired, None
    if handler is None:
        return result
    if not handler._done.wait(PATIENCE):
        raise TimeoutError(
            "nobody answered within %d s after acquireCallbackCompleteHandler()" % PATIENCE
        )
    if handler._failure is not None:
        raise handler._failure
    return handler._result


def forget():
    """The callback raised: nobody waits for an answer."""
    global _acquired
    _acquired = None
