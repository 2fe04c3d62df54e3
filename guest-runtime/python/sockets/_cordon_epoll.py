"""``select.epoll``, over ``select.poll``.

The hub waits for many sockets in one call whatever the interface is called, so that this one is
no quicker. It is here for programs that know no other. Descriptors of files are refused, as
Linux does, and a descriptor that was closed is forgotten.
"""

import errno
import os
import select
from _thread import allocate_lock

import _cordon_descriptor

# Bits that mean the same in both interfaces.
_SAME = 0x3FF
_ONESHOT = select.EPOLLONESHOT
_UNHEEDED = select.EPOLLEXCLUSIVE | select.EPOLLRDHUP | select.EPOLLMSG

# Numbers of epoll objects, which no socket and no file ever has.
_numbers = iter(range(1_000_000_000, 2_000_000_000))


def _error(number):
    return OSError(number, os.strerror(number))


class epoll:
    """Waits for sockets and pipes."""

    def __init__(self, sizehint=-1, flags=0):
        if sizehint < -1 or sizehint == 0:
            raise ValueError("sizehint must be positive or -1")
        if flags & ~select.EPOLL_CLOEXEC:
            raise _error(errno.EINVAL)
        self._number = next(_numbers)
        self._masks = {}
        self._poll = select.poll()
        self._changing, self._waiting = allocate_lock(), allocate_lock()

    @classmethod
    def fromfd(cls, fd, /):
        raise OSError(errno.EOPNOTSUPP, "descriptors of epoll cannot be shared; make another epoll")

    @property
    def closed(self):
        return self._number is None

    def _check(self):
        if self._number is None:
            raise ValueError("I/O operation on closed epoll object")

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self._number = None
        self._masks.clear()

    def fileno(self):
        self._check()
        return self._number

    def _known(self, fd):
        if not isinstance(fd, int):
            fd = fd.fileno()
        if fd < 0:
            raise _error(errno.EBADF)
        return fd

    def _wanted(self, mask):
        if mask & select.EPOLLET:
            raise OSError(
                errno.EINVAL,
                "EPOLLET is not supported: without it, epoll tells of all that is ready",
            )
        if mask & ~(_SAME | _ONESHOT | _UNHEEDED):
            raise _error(errno.EINVAL)
        return mask

    def register(self, fd, eventmask=select.EPOLLIN | select.EPOLLPRI | select.EPOLLOUT):
        self._check()
        fd = self._known(fd)
        os.fstat(fd)
        if fd < _cordon_descriptor.FIRST:
            raise _error(errno.EPERM)
        mask = self._wanted(eventmask)
        with self._changing:
            if fd in self._masks:
                raise _error(errno.EEXIST)
            self._masks[fd] = mask
            self._poll.register(fd, mask & _SAME)

    def modify(self, fd, eventmask):
        self._check()
        fd = self._known(fd)
        mask = self._wanted(eventmask)
        with self._changing:
            if fd not in self._masks:
                raise _error(errno.ENOENT)
            self._masks[fd] = mask
            self._poll.modify(fd, mask & _SAME)

    def unregister(self, fd):
        self._check()
        fd = self._known(fd)
        with self._changing:
            if self._masks.pop(fd, None) is None:
                raise _error(errno.ENOENT)
            self._poll.unregister(fd)

    def poll(self, timeout=None, maxevents=-1):
        self._check()
        if maxevents != -1 and maxevents < 1:
            raise ValueError("maxevents must be greater than 0, got %d" % maxevents)
        if timeout is not None:
            timeout = -1 if timeout < 0 else timeout * 1000
        ready = self._wait(timeout)
        events = []
        with self._changing:
            for fd, mask in ready:
                if mask & select.POLLNVAL:
                    self._forget(fd)
                elif fd in self._masks and len(events) != maxevents:
                    if self._masks[fd] & _ONESHOT:
                        self._masks[fd] = _ONESHOT
                        self._poll.modify(fd, 0)
                    events.append((fd, mask))
        return events

    def _wait(self, timeout):
        """One thread waits with the object that is kept, any other one with its own."""
        if self._waiting.acquire(False):
            try:
                return self._poll.poll(timeout)
            finally:
                self._waiting.release()
        other = select.poll()
        with self._changing:
            for fd, mask in self._masks.items():
                other.register(fd, mask & _SAME)
        return other.poll(timeout)

    def _forget(self, fd):
        if self._masks.pop(fd, None) is not None:
            self._poll.unregister(fd)


epoll.__module__ = "select"


def install():
    """Runs before the snapshot, and before ``selectors`` looks for it."""
    select.epoll = epoll
