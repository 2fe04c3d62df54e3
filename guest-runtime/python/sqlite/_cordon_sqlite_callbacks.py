"""Wrappers round the plugin's functions that SQLite calls.

SQLite knows no exceptions. A wrapper reports an exception, when the program asked for
that, and raises the text that SQLite shall say; ``MemoryError`` and ``OverflowError``
go through, because SQLite has codes of its own for them.
"""

import sys
from types import SimpleNamespace

_tracebacks = [False]

# SQLite's verdict when an authorizer fails.
_DENY = 1


def enable_callback_tracebacks(enable, /):
    """Enable or disable callback functions throwing errors to stderr."""
    _tracebacks[0] = bool(enable)


class _Failed(Exception):
    """An error with the text that SQLite says."""


def _report(error, callback):
    if not _tracebacks[0]:
        return
    sys.unraisablehook(
        SimpleNamespace(
            exc_type=type(error),
            exc_value=error,
            exc_traceback=error.__traceback__,
            err_msg="Exception ignored in sqlite3 callback",
            object=callback,
        )
    )


def _translated(error, callback, text):
    _report(error, callback)
    if isinstance(error, (MemoryError, OverflowError)):
        return error
    return _Failed(text)


def _storable(value):
    """Raises the error of a result that SQLite has no type for."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise OverflowError("Python int too large to convert to SQLite INTEGER")
    if type(value) is str:
        value.encode()
    if type(value) is memoryview and not value.c_contiguous:
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    return value


def function(callback):
    def call(*arguments):
        try:
            return _storable(callback(*arguments))
        except BaseException as error:
            text = "user-defined function raised exception"
            raise _translated(error, callback, text) from None

    return call


class _Aggregate:
    """One run of an aggregate: the plugin's object, with its errors in words."""

    def __init__(self, kind):
        self._kind = kind
        try:
            self._object = kind()
        except BaseException as error:
            raise self._failed(error, "__init__") from None

    def _failed(self, error, method):
        text = "user-defined aggregate's '%s' method raised error" % method
        return _translated(error, self._kind, text)

    def _call(self, name, *arguments):
        try:
            method = getattr(self._object, name)
        except AttributeError as error:
            text = "user-defined aggregate's '%s' method not defined" % name
            raise _translated(error, self._kind, text) from None
        try:
            return method(*arguments)
        except BaseException as error:
            raise self._failed(error, name) from None

    def step(self, *arguments):
        self._call("step", *arguments)

    def inverse(self, *arguments):
        self._call("inverse", *arguments)

    def value(self):
        return self._call("value")

    def finalize(self):
        return self._call("finalize")


def aggregate(kind):
    return lambda: _Aggregate(kind)


def collation(callback):
    def compare(left, right):
        try:
            order = callback(left, right)
            return (order > 0) - (order < 0)
        except BaseException as error:
            _report(error, callback)
            return 0

    return compare


def authorizer(callback):
    def authorize(*arguments):
        try:
            verdict = callback(*arguments)
            if not isinstance(verdict, int):
                return _DENY
            if not -(1 << 31) <= verdict < 1 << 31:
                raise OverflowError("Python int too large to convert to C int")
            return verdict
        except BaseException as error:
            _report(error, callback)
            return _DENY

    return authorize


def progress(callback):
    def interrupt():
        try:
            return bool(callback())
        except BaseException as error:
            _report(error, callback)
            return True

    return interrupt


def trace(callback, too_long):
    def show(plain, expanded):
        try:
            if expanded is None:
                # Longer than SQLite's limit: as it was written, without values.
                _report(too_long("Expanded SQL string exceeds the maximum string length"), callback)
                expanded = plain
            callback(expanded)
        except BaseException as error:
            _report(error, callback)

    return show
