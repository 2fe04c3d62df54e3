"""``ctypes._endian``: structures in an order of bytes, under the name of CPython's module."""

from ctypes._record import (
    BigEndianStructure,
    BigEndianUnion,
    LittleEndianStructure,
    LittleEndianUnion,
)
