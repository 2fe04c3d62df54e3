"""``sqlite3.Blob``: one value of a table as a file of fixed length."""

import os
from operator import index as as_index

from _cordon_sqlite_errors import ProgrammingError


class Blob:
    """An open value of a table; made by ``Connection.blobopen``."""

    __module__ = "sqlite3"
    _handle = None

    def __new__(cls, *_arguments, **_named):
        raise TypeError("cannot create 'sqlite3.Blob' instances")

    @classmethod
    def _open(cls, connection, handle):
        blob = object.__new__(cls)
        blob._connection = connection
        blob._handle = handle
        blob._position = 0
        return blob

    def close(self):
        """Close the blob."""
        self._connection._check_thread()
        self._connection._check_open()
        self._drop()

    def _drop(self):
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _check(self):
        self._connection._check_thread()
        self._connection._check_open()
        if self._handle is None:
            raise ProgrammingError("Cannot operate on a closed blob.")
        return self._handle

    def read(self, length=-1, /):
        """Read data at the current offset position."""
        handle = self._check()
        left = handle.length() - self._position
        if length < 0 or length > left:
            length = left
        if length <= 0:
            return b""
        data = handle.read(length, self._position)
        self._position += length
        return data

    def write(self, data, /):
        """Write data at the current offset."""
        handle = self._check()
        data = memoryview(data).cast("B")
        if len(data) > handle.length() - self._position:
            raise ValueError("data longer than blob length")
        handle.write(data, self._position)
        self._position += len(data)

    def seek(self, offset, origin=0, /):
        """Set the current access position to offset."""
        length = self._check().length()
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: length}
        if origin not in bases:
            raise ValueError("'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END")
        if not -(1 << 31) <= offset < 1 << 31 or offset + bases[origin] >= 1 << 31:
            raise OverflowError("seek offset results in overflow")
        position = bases[origin] + offset
        if not 0 <= position <= length:
            raise ValueError("offset out of blob range")
        self._position = position

    def tell(self):
        """Return the current access position for the blob."""
        self._check()
        return self._position

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, _kind, _error, _traceback):
        self._check()
        self._drop()

    def __len__(self):
        return self._check().length()

    def __bool__(self):
        return True

    # Indexed and of known length, but no sequence.
    __iter__ = None
    __contains__ = None

    def __getitem__(self, key):
        handle = self._check()
        if isinstance(key, slice):
            chosen = self._chosen(key, handle)
            if not chosen:
                return b""
            low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1])
            data = handle.read(high - low + 1, low)
            return bytes(data[place - low] for place in chosen)
        return handle.read(1, self._place(key, handle))[0]

    def __setitem__(self, key, value):
        handle = self._check()
        if isinstance(key, slice):
            self._set_slice(handle, key, value)
            return
        place = self._place(key, handle)
        if not isinstance(value, int):
            raise TypeError(
                "'%s' object cannot be interpreted as an integer" % type(value).__name__
            )
        if not 0 <= value <= 255:
            raise ValueError("byte must be in range(0, 256)")
        handle.write(bytes((value,)), place)

    def __delitem__(self, key):
        kind = "slice deletion" if isinstance(key, slice) else "item deletion"
        raise TypeError("Blob doesn't support %s" % kind)

    def _set_slice(self, handle, key, value):
        chosen = self._chosen(key, handle)
        view = memoryview(value)
        if not view.c_contiguous:
            raise BufferError("memoryview: underlying buffer is not C-contiguous")
        data = bytes(view)
        if len(data) != len(chosen):
            raise IndexError("Blob slice assignment is wrong size")
        if not chosen:
            return
        low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1])
        whole = bytearray(handle.read(high - low + 1, low))
        for place, byte in zip(chosen, data):
            whole[place - low] = byte
        handle.write(whole, low)

    def _chosen(self, key, handle):
        try:
            return range(*key.indices(handle.length()))
        except TypeError:
            raise TypeError(
                "slice indices must be integers or None or have an __index__ method"
            ) from None

    def _place(self, key, handle):
        if not hasattr(type(key), "__index__"):
            raise TypeError("Blob indices must be integers")
        place = as_index(key)
        if not -(1 << 63) <= place < 1 << 63:
            raise IndexError("cannot fit 'int' into an index-sized integer")
        if place < 0:
            place += handle.length()
        if not 0 <= place < handle.length():
            raise IndexError("Blob index out of range")
        return place
