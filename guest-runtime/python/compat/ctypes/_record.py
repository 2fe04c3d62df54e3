"""Structures and unions of ``ctypes``: where their fields lie, and reading and writing them."""

from ctypes._data import LITTLE, Array, Data, Reference, Simple, Type, read, swapped, write


class Field:
    """One field, as the class shows it."""

    def __init__(self, name, kind, offset, bits=None):
        self.name = name
        self.type = kind
        self.offset = self.byte_offset = offset
        self.byte_size = kind._size_
        self.is_bitfield = bits is not None
        # As ctypes has it: the first bit in the low half, the number of bits in the high one.
        self.size = kind._size_ if bits is None else bits[1] << 16 | bits[0]
        self._bits = bits

    def __repr__(self):
        if self._bits:
            return "<Field type=%s, ofs=%d:%d, bits=%d>" % (
                self.type.__name__,
                self.offset,
                *self._bits,
            )
        return "<Field type=%s, ofs=%d, size=%d>" % (self.type.__name__, self.offset, self.size)

    def __get__(self, record, owner=None):
        if record is None:
            return self
        value = read(self.type, record._memory, record._place + self.offset)
        if self._bits is None:
            return value
        first, count = self._bits
        value = value >> first & (1 << count) - 1
        if self.type._code_.islower() and value >> count - 1:
            value -= 1 << count
        return value

    def __set__(self, record, value):
        place = record._place + self.offset
        if self._bits is not None:
            first, count = self._bits
            if isinstance(value, Simple):
                value = value.value
            mask = (1 << count) - 1
            whole = read(self.type, record._memory, place)
            value = whole & ~(mask << first) | (value.__index__() & mask) << first
        write(self.type, record._memory, place, value)


class RecordType(Type):
    def __new__(meta, name, bases, fields):
        made = super().__new__(meta, name, bases, fields)
        if "_fields_" in fields:
            made._lay_out(fields["_fields_"])
        return made

    def __setattr__(cls, name, value):
        if name == "_fields_":
            if "_names_" in cls.__dict__:
                raise AttributeError("_fields_ is final")
            super().__setattr__(name, value)
            cls._lay_out(value)
        else:
            super().__setattr__(name, value)

    def _lay_out(cls, fields):
        """Finds the place of each field, as a C compiler does."""
        pack = getattr(cls, "_pack_", None)
        size, align = cls._size_, cls._align_
        names = list(cls._names_)
        # The bits that are left in the unit of the last field: its type, place and first free bit.
        unit = None
        for name, kind, *width in fields:
            if not isinstance(kind, Type):
                raise TypeError("second item in _fields_ tuple must be a C type")
            if cls._swaps_:
                kind = swapped(kind)
            own = kind._align_ if pack is None else min(pack, kind._align_)
            bits = None
            if width:
                count = width[0]
                if (
                    not issubclass(kind, Simple)
                    or issubclass(kind, Reference)
                    or kind._code_ in "fd"
                ):
                    raise TypeError("bit fields not allowed for type %s" % kind.__name__)
                if not 0 < count <= 8 * kind._size_:
                    raise ValueError("number of bits invalid for bit field")
                fits = unit and unit[0] is kind and unit[2] + count <= 8 * kind._size_
                first = unit[2] if fits and not cls._union_ else 0
                bits = first, count
            if bits and bits[0]:
                offset = unit[1]
            else:
                offset = 0 if cls._union_ else -(-size // own) * own
            unit = (kind, offset, bits[0] + bits[1]) if bits else None
            if bits and cls._swaps_:
                bits = 8 * kind._size_ - bits[0] - bits[1], bits[1]
            size = max(size, offset + kind._size_)
            align = max(align, own)
            names.append(name)
            setattr(cls, name, Field(name, kind, offset, bits))
        cls._size_, cls._align_ = -(-size // align) * align, align
        cls._names_ = tuple(names)
        for name in getattr(cls, "_anonymous_", ()):
            cls._lift(name)

    def _lift(cls, name):
        """Shows the fields of an unnamed part as the whole's own."""
        outer = getattr(cls, name)
        for inner in outer.type._names_:
            field = getattr(outer.type, inner)
            lifted = Field(inner, field.type, outer.offset + field.offset, field._bits)
            setattr(cls, inner, lifted)


class Record(Data, metaclass=RecordType):
    """A structure or a union."""

    _names_ = ()
    _union_ = False
    _swaps_ = False

    def __init__(self, *values, **named):
        if len(values) > len(self._names_):
            raise TypeError("too many initializers")
        for name, value in zip(self._names_, values):
            if name in named:
                raise TypeError("duplicate values for field %r" % name)
            setattr(self, name, value)
        for name, value in named.items():
            setattr(self, name, value)


class Structure(Record):
    pass


class Union(Record):
    _union_ = True


class _OtherStructure(Structure):
    _swaps_ = True


class _OtherUnion(Union):
    _swaps_ = True


BigEndianStructure, LittleEndianStructure = (
    (_OtherStructure, Structure) if LITTLE else (Structure, _OtherStructure)
)
BigEndianUnion, LittleEndianUnion = (_OtherUnion, Union) if LITTLE else (Union, _OtherUnion)

__all__ = [
    "Array",
    "BigEndianStructure",
    "BigEndianUnion",
    "Field",
    "LittleEndianStructure",
    "LittleEndianUnion",
    "Structure",
    "Union",
]
