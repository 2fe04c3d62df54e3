"""The data types of ``ctypes``: simple ones, arrays, structures and unions.

They are values in memory that Python owns. Parts of a whole share its memory, so a part that is
changed changes the whole. Sizes are those of module ``struct`` here: a ``long`` and a pointer have
four bytes. Pointers hold Python objects and have no address.
"""

import struct as _struct
import sys as _sys


# The value of an object that was made without one.
_NOTHING = object()


class Memory:
    """Bytes, and the Python objects that pointers in them stand for, by their place."""

    __slots__ = ("bytes", "objects")

    def __init__(self, data):
        self.bytes = data
        self.objects = {}


class Type(type):
    """A type of data: ``kind * 3`` is an array of three of it."""

    def __mul__(cls, length):
        if not isinstance(length, int):
            raise TypeError("can't multiply sequence by non-int of type %r" % type(length).__name__)
        if length < 0:
            raise ValueError("Array length must be >= 0, not %d" % length)
        key = cls, length
        if key not in _arrays:
            name = "%s_Array_%d" % (cls.__name__, length)
            fields = {"_type_": cls, "_length_": length, "__module__": cls.__module__}
            _arrays[key] = type(Array)(name, (Array,), fields)
        return _arrays[key]

    __rmul__ = __mul__

    def from_buffer(cls, source, offset=0):
        """One that shares the memory of a buffer."""
        view = memoryview(source).cast("B")
        if view.readonly:
            raise TypeError("underlying buffer is not writable")
        return _at(cls, Memory(_room(cls, view, offset)), 0)

    def from_buffer_copy(cls, source, offset=0):
        """One with a copy of the bytes of a buffer."""
        view = memoryview(source).cast("B")
        return _at(cls, Memory(bytearray(_room(cls, view, offset)[: cls._size_])), 0)

    def from_param(cls, value):
        return value if isinstance(value, cls) else cls(value)


# The types of arrays, by element and length. As many as the plugin's source has.
_arrays = {}


def _room(cls, view, offset):
    if offset < 0:
        raise ValueError("offset cannot be negative")
    if offset + cls._size_ > len(view):
        raise ValueError(
            "Buffer size too small (%d instead of at least %d bytes)"
            % (len(view), offset + cls._size_)
        )
    return view[offset:]


def _at(cls, memory, place):
    """An object of a type at a place in memory that is there."""
    made = cls.__new__(cls)
    made._memory, made._place = memory, place
    return made


class Data(metaclass=Type):
    """The base of all types of data."""

    _size_ = 0
    _align_ = 1

    def __new__(cls, *args, **kwargs):
        made = object.__new__(cls)
        made._memory, made._place = Memory(bytearray(cls._size_)), 0
        return made

    def __bytes__(self):
        return bytes(self._memory.bytes[self._place : self._place + self._size_])

    def __buffer__(self, flags):
        return memoryview(self._memory.bytes)[self._place : self._place + self._size_]

    def _put(self, data):
        self._memory.bytes[self._place : self._place + len(data)] = data

    def _copy(self, other):
        """Takes over the value of another object of the same type."""
        self._put(bytes(other))
        own, theirs = self._memory.objects, other._memory.objects
        for place, value in list(theirs.items()):
            if 0 <= place - other._place < self._size_:
                own[place - other._place + self._place] = value

    def __reduce__(self):
        if self._memory.objects:
            raise ValueError("ctypes objects containing pointers cannot be pickled")
        return type(self).from_buffer_copy, (bytes(self),)


class Simple(Data):
    """A number, a character, or a pointer that is none of this module's."""

    _code_ = "B"
    _swapped_ = False

    def __init__(self, value=_NOTHING):
        if value is not _NOTHING:
            self.value = value

    def _load(self):
        order = ">" if self._swapped_ else "<"
        return _struct.unpack_from(order + self._code_, self._memory.bytes, self._place)[0]

    def _store(self, value):
        order = ">" if self._swapped_ else "<"
        _struct.pack_into(order + self._code_, self._memory.bytes, self._place, value)

    @property
    def value(self):
        return self._load()

    @value.setter
    def value(self, value):
        self._store(self._made_fit(value))

    def _made_fit(self, value):
        if isinstance(value, Simple):
            value = value.value
        if self._code_ in "fd":
            return float(value)
        if not hasattr(value, "__index__"):
            raise TypeError("an integer is required (got type %s)" % type(value).__name__)
        # The low bits count, whatever the number.
        bits = 8 * self._size_
        value = value.__index__() & ((1 << bits) - 1)
        return value - (1 << bits) if self._code_.islower() and value >> bits - 1 else value

    def __bool__(self):
        return bool(self.value)

    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.value)


class Bool(Simple):
    _code_ = "?"

    def _made_fit(self, value):
        return bool(value)


class Char(Simple):
    def _made_fit(self, value):
        if isinstance(value, (bytes, bytearray)) and len(value) == 1:
            return value[0]
        if isinstance(value, int) and 0 <= value < 256:
            return value
        raise TypeError("one character bytes, bytearray, or an integer in range(256) expected")

    def _load(self):
        return bytes((super()._load(),))


class WideChar(Simple):
    _code_ = "I"

    def _made_fit(self, value):
        if not isinstance(value, str) or len(value) != 1:
            raise TypeError("one character unicode string expected")
        return ord(value)

    def _load(self):
        return chr(super()._load())


class Reference(Simple):
    """A pointer: holds a Python object."""

    _code_ = "I"

    def _load(self):
        return self._memory.objects.get(self._place)

    def _store(self, value):
        if value is None:
            self._memory.objects.pop(self._place, None)
        else:
            self._memory.objects[self._place] = value

    def _made_fit(self, value):
        return value


class Pointer(Reference):
    """A pointer to an object of type ``_type_``."""

    _type_ = None

    @property
    def contents(self):
        found = self._load()
        if found is None:
            raise ValueError("NULL pointer access")
        return found

    @contents.setter
    def contents(self, target):
        self._store(target)

    def __getitem__(self, index):
        target = self.contents
        if isinstance(target, Array):
            return target[index]
        if index != 0:
            raise IndexError("a pointer leads to one object here")
        return target.value if isinstance(target, Simple) else target

    def __setitem__(self, index, value):
        target = self.contents
        if isinstance(target, Array):
            target[index] = value
        elif index == 0 and isinstance(target, Simple):
            target.value = value
        else:
            raise IndexError("a pointer leads to one object here")

    def __bool__(self):
        return self._load() is not None


def read(kind, memory, place):
    """The value of an element or field as Python shows it."""
    part = _at(kind, memory, place)
    if issubclass(kind, Pointer):
        return part
    # A class of the plugin's own that is derived from a simple type shows itself.
    if issubclass(kind, Simple) and kind.__dict__.get("_plain_"):
        return part.value
    if issubclass(kind, Array) and issubclass(kind._type_, (Char, WideChar)):
        return part.value
    return part


def write(kind, memory, place, value):
    """Puts a value into an element or field."""
    part = _at(kind, memory, place)
    if isinstance(value, kind):
        part._copy(value)
    elif issubclass(kind, Pointer) and isinstance(value, Array) and value._type_ is kind._type_:
        part.contents = value
    elif issubclass(kind, Simple):
        part.value = value
    elif issubclass(kind, Array) and issubclass(kind._type_, (Char, WideChar)):
        part.value = value
    elif isinstance(value, tuple):
        part._copy(kind(*value))
    else:
        raise TypeError(
            "incompatible types, %s instance instead of %s instance"
            % (type(value).__name__, kind.__name__)
        )


class ArrayType(Type):
    def __new__(meta, name, bases, fields):
        made = super().__new__(meta, name, bases, fields)
        if isinstance(getattr(made, "_type_", None), type):
            made._size_ = made._type_._size_ * made._length_
            made._align_ = made._type_._align_
        return made


class Array(Data, metaclass=ArrayType):
    def __init__(self, *values):
        if len(values) > self._length_:
            raise IndexError("invalid index")
        for index, value in enumerate(values):
            self[index] = value

    def __len__(self):
        return self._length_

    def _place_of(self, index):
        index = index.__index__()
        if index < 0:
            index += self._length_
        if not 0 <= index < self._length_:
            raise IndexError("invalid index")
        return self._place + index * self._type_._size_

    def __getitem__(self, index):
        if isinstance(index, slice):
            parts = [self[each] for each in range(*index.indices(self._length_))]
            if issubclass(self._type_, (Char, WideChar)):
                return (b"" if issubclass(self._type_, Char) else "").join(parts)
            return parts
        return read(self._type_, self._memory, self._place_of(index))

    def __setitem__(self, index, value):
        if isinstance(index, slice):
            places = range(*index.indices(self._length_))
            if len(places) != len(value):
                raise ValueError("Can only assign sequence of same size")
            for each, part in zip(places, value):
                self[each] = part
            return
        write(self._type_, self._memory, self._place_of(index), value)

    def __iter__(self):
        return (self[index] for index in range(self._length_))

    def _characters(self):
        if not issubclass(self._type_, (Char, WideChar)):
            raise AttributeError("%r object has no attribute 'value'" % type(self).__name__)
        return issubclass(self._type_, Char)

    @property
    def raw(self):
        self._characters()
        return bytes(self)

    @raw.setter
    def raw(self, value):
        self._characters()
        value = bytes(value)
        if len(value) > self._size_:
            raise ValueError("byte string too long")
        self._put(value)

    @property
    def value(self):
        if self._characters():
            return bytes(self).partition(b"\0")[0]
        return self[:].partition("\0")[0]

    @value.setter
    def value(self, value):
        if self._characters():
            if not isinstance(value, bytes):
                raise TypeError("bytes expected instead of %s instance" % type(value).__name__)
        else:
            if not isinstance(value, str):
                raise TypeError("str expected instead of %s instance" % type(value).__name__)
            value = value.encode("utf-32-le")
        if len(value) > self._size_:
            raise ValueError("string too long")
        # Ends where the old value would go on.
        self._put((value + bytes(self._type_._size_))[: self._size_])


def swapped(kind):
    """The same type with its bytes in the other order, as it stands in a ``BigEndianStructure``."""
    if issubclass(kind, Array):
        return swapped(kind._type_) * kind._length_
    if issubclass(kind, Simple):
        if kind._size_ == 1 or issubclass(kind, Reference):
            return kind
        if kind not in _swapped:
            fields = {"_swapped_": not kind._swapped_, "_plain_": True}
            _swapped[kind] = Type(kind.__name__, (kind,), fields)
        return _swapped[kind]
    return kind


_swapped = {}

LITTLE = _sys.byteorder == "little"
