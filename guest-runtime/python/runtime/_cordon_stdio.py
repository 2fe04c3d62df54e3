"""``sys.stdout`` and ``sys.stderr`` as streams into the plugin's log.

Owns the lines that are not complete yet, one per thread and of bounded length. It never
waits and never refuses text; the hub drops and counts the text beyond its limits.
"""

import io
import sys
import warnings
from _thread import get_ident

import _cordon

import _cordon_log as log

# Characters of one record. The hub cuts at 6143 bytes (spec section 10), so
# longer text is split here instead of being lost there.
LINE_LIMIT = 4096


class LogStream(io.TextIOBase):
    """A text stream whose complete lines become records of one level."""

    encoding = "utf-8"
    errors = "replace"
    newlines = None
    line_buffering = True
    mode = "w"

    def __init__(self, level, name, number):
        self.name = name
        self._number = number
        self.buffer = LogBuffer(self)
        self._level = level
        # Text after the last line end, by thread: two threads that print at
        # once must not mix their lines.
        self._partial = {}

    def writable(self):
        return True

    def fileno(self):
        """The number by which programs ask whether this is a terminal. Bytes written to
        the number itself go nowhere."""
        return self._number

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        thread = get_ident()
        *lines, rest = (self._partial.pop(thread, "") + text).split("\n")
        for line in lines:
            self._record(line)
        while len(rest) > LINE_LIMIT:
            self._record(rest[:LINE_LIMIT])
            rest = rest[LINE_LIMIT:]
        if rest:
            self._partial[thread] = rest
        return len(text)

    def flush(self):
        """Does nothing: half a line is no record. `drain` ends the line."""

    def drain(self):
        """Writes the lines that have no end, at the end of a call."""
        while self._partial:
            self._record(self._partial.popitem()[1])

    def _record(self, line):
        if len(line) <= LINE_LIMIT:
            _cordon.log(self._level, log.HARDWARE, line)
            return
        for start in range(0, len(line), LINE_LIMIT):
            _cordon.log(self._level, log.HARDWARE, line[start : start + LINE_LIMIT])


class LogBuffer(io.RawIOBase):
    """``sys.stdout.buffer``, for programs that write bytes."""

    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def fileno(self):
        return self._stream.fileno()

    def write(self, data):
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


_stdout = LogStream(log.NORMAL, "<stdout>", 1)
_stderr = LogStream(log.ERROR, "<stderr>", 2)


def install():
    """Puts the streams in place; standard input is empty."""
    sys.stdout = sys.__stdout__ = _stdout
    sys.stderr = sys.__stderr__ = _stderr
    sys.stdin = sys.__stdin__ = io.StringIO("")
    warnings.showwarning = show_warning


def show_warning(message, category, filename, lineno, file=None, line=None):
    """Writes a warning of Python's as an ordinary line: it is no error of the plugin."""
    stream = _stdout if file is None else file
    stream.write(warnings.formatwarning(message, category, filename, lineno, line))


# The unfinished lines of both, for a caller that wants to know at no cost
# whether `drain` has anything to do.
unfinished_output = _stdout._partial
unfinished_errors = _stderr._partial


def drain():
    """Ends the lines that a call left open."""
    _stdout.drain()
    _stderr.drain()
