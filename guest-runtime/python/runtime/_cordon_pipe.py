"""The plugin's ends of the standard streams of its processes.

Owns the hold on a process that lasts as long as somebody can use it, and how bytes are carried
between a process and a file that the plugin gave.
"""

import errno
import io
import os

import _cordon_processes as hub

# Most bytes of one read or write.
CHUNK = 65536

# The streams, as everybody numbers them.
INPUT, STDOUT, STDERR = range(3)


class Lease:
    """Holds a process for as long as a ``Popen`` or a pipe of it is there."""

    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number

    def __del__(self):
        hub.release(self.number)


class Pipe(io.RawIOBase):
    """The plugin's end of a standard stream."""

    def __init__(self, lease, stream):
        self._lease = lease
        self._stream = stream
        # Whether another process reads this pipe, so that it is not ours to close.
        self._given = False

    def readable(self):
        return self._stream != INPUT

    def writable(self):
        return self._stream == INPUT

    def readinto(self, buffer):
        self._checkClosed()
        self._checkReadable()
        view = memoryview(buffer).cast("B")
        data = hub.read(self._lease.number, self._stream, min(len(view), CHUNK))
        view[: len(data)] = data
        return len(data)

    def write(self, data):
        self._checkClosed()
        self._checkWritable()
        written = hub.write(self._lease.number, bytes(memoryview(data)[:CHUNK]))
        if written is None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return written

    def fileno(self):
        raise io.UnsupportedOperation(
            "a pipe of a process has no descriptor here; read it, in a thread if need be"
        )

    def close(self):
        if not self.closed:
            super().close()
            if not self._given:
                hub.close(self._lease.number, self._stream)

    def give(self):
        """Lends the pipe to a copying thread; returns the object with which the thread
        reads."""
        self._given = True
        lease, stream = self._lease, self._stream
        return lambda: hub.read(lease.number, stream, CHUNK)

    def _checkClosed(self):
        if self.closed:
            raise ValueError("I/O operation on closed file.")

    def _checkReadable(self):
        if self._stream == INPUT:
            raise io.UnsupportedOperation("File or stream is not readable.")

    def _checkWritable(self):
        if self._stream != INPUT:
            raise io.UnsupportedOperation("File or stream is not writable.")


def source(given):
    """A function that reads the next bytes of the plugin's input."""
    if isinstance(given, int):
        return lambda: os.read(given, CHUNK)
    raw = getattr(getattr(given, "buffer", given), "raw", given)
    if isinstance(raw, Pipe):
        return raw.give()
    try:
        number = given.fileno()
    except (AttributeError, OSError):
        binary = getattr(given, "buffer", given)
        return lambda: binary.read(CHUNK)
    return lambda: os.read(number, CHUNK)


def sink(given):
    """A function that writes all of some bytes to the plugin's output."""
    if isinstance(given, Pipe):
        return lambda data: _write_all(given.write, data)
    if isinstance(given, int):
        return lambda data: _write_all(lambda part: os.write(given, part), data)
    try:
        number = given.fileno()
    except (AttributeError, OSError):
        return getattr(given, "buffer", given).write
    return lambda data: _write_all(lambda part: os.write(number, part), data)


def _write_all(write, data):
    while data:
        data = data[write(data) :]
