"""Adapters and converters: Python's types to SQLite's and back."""

from _cordon_sqlite_errors import ProgrammingError

PARSE_DECLTYPES = 1
PARSE_COLNAMES = 2

# (type, protocol): function
adapters = {}

# name of a column's type in capitals: function
converters = {}

# Types that go to the database as they are until somebody adapts them. A list, so
# that others see the change.
_PLAIN = (int, float, str, bytearray)
plain_is_adapted = [False]


class PrepareProtocol:
    """Names the protocol that values are adapted to."""


PrepareProtocol.__module__ = "sqlite3"


def register_adapter(type, adapter, /):
    """Register a function to adapt Python objects to SQLite values."""
    if type in _PLAIN:
        plain_is_adapted[0] = True
    adapters[(type, PrepareProtocol)] = adapter


def register_converter(typename, converter, /):
    """Register a function to convert SQLite values to Python objects."""
    converters[typename.upper()] = converter


_NOTHING = object()


def adapt(obj, proto=PrepareProtocol, alt=_NOTHING, /):
    """Adapt given object to given protocol."""
    adapter = adapters.get((type(obj), proto))
    if adapter is not None:
        return adapter(obj)
    for owner, name, argument in ((proto, "__adapt__", obj), (obj, "__conform__", proto)):
        try:
            method = getattr(owner, name)
        except AttributeError:
            continue
        try:
            adapted = method(argument)
        except TypeError:
            # It does not know this protocol after all.
            continue
        if adapted is not None:
            return adapted
    if alt is not _NOTHING:
        return alt
    raise ProgrammingError("can't adapt")


def adapt_parameter(obj):
    """A value of a statement: as it is when nobody adapts it."""
    return adapt(obj, PrepareProtocol, obj)


def column_converters(detect_types, names, declared):
    """A converter or None for each column; None when no column has one."""
    found = [_converter(detect_types, *column) for column in zip(names, declared)]
    return found if any(found) else None


def _converter(detect_types, name, declared):
    if detect_types & PARSE_COLNAMES and "[" in name:
        kind, closed, _ = name[name.index("[") + 1 :].partition("]")
        converter = converters.get(kind.upper()) if closed else None
        if converter is not None:
            return converter
    if detect_types & PARSE_DECLTYPES and declared:
        kind = declared.split("(")[0].split(" ")[0]
        return converters.get(kind.upper())
    return None


def column_title(detect_types, name):
    """The name of a column in ``description``, without the type in brackets."""
    if detect_types & PARSE_COLNAMES and "[" in name:
        name = name[: name.index("[")]
        if name.endswith(" "):
            name = name[:-1]
    return name
