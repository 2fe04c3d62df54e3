"""Pipes within one process, for the queues of ``multiprocessing``.

Objects are pickled as between processes, so that a plugin sees the same copies and the
same errors.
"""

import pickle
import threading
import time
from collections import deque

from _cordon_refusal import refused

_WHY = "a plugin is one process; use socket"

Client = refused("multiprocessing.connection.Client", _WHY)
Listener = refused("multiprocessing.connection.Listener", _WHY)
answer_challenge = deliver_challenge = refused("multiprocessing.connection", _WHY)

# Wakes whoever waits for several connections.
_changed = threading.Condition()


class _Way:
    """One direction of a pipe."""

    def __init__(self):
        self.messages = deque()
        self.closed = False


class Connection:
    def __init__(self, receiving, sending):
        self._receiving = receiving
        self._sending = sending
        self._open = True

    closed = property(lambda self: not self._open)
    readable = property(lambda self: self._receiving is not None)
    writable = property(lambda self: self._sending is not None)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def _check(self, way, what):
        if not self._open:
            raise OSError("handle is closed")
        if way is None:
            raise OSError("connection is %s-only" % what)
        return way

    def fileno(self):
        raise OSError("a pipe within a plugin has no descriptor")

    def close(self):
        with _changed:
            self._open = False
            for way in (self._receiving, self._sending):
                if way is not None:
                    way.closed = True
            _changed.notify_all()

    def send_bytes(self, buf, offset=0, size=None):
        data = bytes(memoryview(buf).cast("B")[offset:])
        data = data if size is None else data[:size]
        with _changed:
            way = self._check(self._sending, "read")
            if way.closed:
                raise BrokenPipeError("the other end is closed")
            way.messages.append(data)
            _changed.notify_all()

    def recv_bytes(self, maxlength=None):
        with _changed:
            way = self._check(self._receiving, "write")
            _changed.wait_for(lambda: way.messages or way.closed)
            if not way.messages:
                raise EOFError
            if maxlength is not None and len(way.messages[0]) > maxlength:
                raise OSError("bad message length")
            return way.messages.popleft()

    def recv_bytes_into(self, buf, offset=0):
        from . import BufferTooShort

        data = self.recv_bytes()
        target = memoryview(buf).cast("B")[offset:]
        if len(data) > len(target):
            raise BufferTooShort(data)
        target[: len(data)] = data
        return len(data)

    def send(self, obj):
        from .context import reduction

        self.send_bytes(reduction.ForkingPickler.dumps(obj))

    def recv(self):
        return pickle.loads(self.recv_bytes())

    def _ready(self):
        return bool(self._receiving.messages or self._receiving.closed)

    def poll(self, timeout=0.0):
        with _changed:
            self._check(self._receiving, "write")
            return bool(_changed.wait_for(self._ready, timeout))


def Pipe(duplex=True):
    there, back = _Way(), _Way() if duplex else None
    return Connection(there, back), Connection(back, there)


def wait(object_list, timeout=None):
    """The connections of the list that can be read."""
    objects = list(object_list)
    end = None if timeout is None else time.monotonic() + timeout

    def ready():
        return [one for one in objects if one._ready()]

    with _changed:
        left = None if end is None else max(0, end - time.monotonic())
        _changed.wait_for(ready, left)
        return ready()
