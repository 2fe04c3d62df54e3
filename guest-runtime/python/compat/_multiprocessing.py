"""The base of ``multiprocessing.synchronize``: semaphores within one process."""

import threading as _threading

flags = {}


def sem_unlink(name):
    """Nothing to do: these semaphores have no names."""


class SemLock:
    """A semaphore (kind 1) or a lock that its owner may take again (kind 0)."""

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, kind, value, maxvalue, name, unlink):
        self.kind = kind
        self.maxvalue = maxvalue
        self.name = None
        self.handle = id(self)
        self._value = value
        self._owner = None
        self._depth = 0
        self._changed = _threading.Condition()

    def acquire(self, block=True, timeout=None):
        me = _threading.get_ident()
        with self._changed:
            if self.kind == 0 and self._owner == me:
                self._depth += 1
                return True
            if not block:
                timeout = 0
            if not self._changed.wait_for(lambda: self._value > 0, timeout):
                return False
            self._value -= 1
            self._owner = me
            self._depth += 1
            return True

    def release(self):
        with self._changed:
            if self.kind == 0:
                if self._owner != _threading.get_ident():
                    raise AssertionError("attempt to release recursive lock not owned by thread")
                if self._depth > 1:
                    self._depth -= 1
                    return
            elif self._value >= self.maxvalue:
                raise ValueError("semaphore or lock released too many times")
            self._depth = max(0, self._depth - 1)
            if self._depth == 0:
                self._owner = None
            self._value += 1
            self._changed.notify()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exc_info):
        self.release()

    def _count(self):
        return self._depth

    def _is_mine(self):
        return self._depth > 0 and self._owner == _threading.get_ident()

    def _get_value(self):
        return self._value

    def _is_zero(self):
        return self._value == 0

    def _after_fork(self):
        self._depth = 0
