"""``Value`` and ``Array`` within one process."""

from . import get_context

__all__ = ["RawValue", "RawArray", "Value", "Array", "copy", "synchronized"]

_REAL = ("d", "f", "c_double", "c_float")


class RawValue:
    def __init__(self, typecode_or_type, *args):
        self._type = typecode_or_type
        real = getattr(typecode_or_type, "__name__", typecode_or_type) in _REAL
        self.value = args[0] if args else 0.0 if real else 0


class RawArray(list):
    def __init__(self, typecode_or_type, size_or_initializer):
        filled = size_or_initializer
        super().__init__([0] * filled if isinstance(filled, int) else filled)


class _Synchronized:
    def __init__(self, obj, lock):
        self.__dict__.update(_obj=obj, _lock=lock)

    def get_obj(self):
        return self._obj

    def get_lock(self):
        return self._lock

    def acquire(self, *args):
        return self._lock.acquire(*args)

    def release(self):
        self._lock.release()

    def __enter__(self):
        return self._lock.__enter__()

    def __exit__(self, *exc_info):
        return self._lock.__exit__(*exc_info)


class Synchronized(_Synchronized):
    @property
    def value(self):
        with self._lock:
            return self._obj.value

    @value.setter
    def value(self, value):
        with self._lock:
            self._obj.value = value


class SynchronizedArray(_Synchronized):
    def __len__(self):
        return len(self._obj)

    def __getitem__(self, at):
        with self._lock:
            return self._obj[at]

    def __setitem__(self, at, value):
        with self._lock:
            self._obj[at] = value


def synchronized(obj, lock=None, ctx=None):
    lock = lock or (ctx or get_context()).RLock()
    kind = SynchronizedArray if isinstance(obj, list) else Synchronized
    return kind(obj, lock)


def _locked(obj, lock, ctx):
    if lock is False:
        return obj
    return synchronized(obj, None if lock is True else lock, ctx)


def Value(typecode_or_type, *args, lock=True, ctx=None):
    return _locked(RawValue(typecode_or_type, *args), lock, ctx)


def Array(typecode_or_type, size_or_initializer, *, lock=True, ctx=None):
    return _locked(RawArray(typecode_or_type, size_or_initializer), lock, ctx)


def copy(obj):
    import copy as copying

    return copying.copy(obj)
