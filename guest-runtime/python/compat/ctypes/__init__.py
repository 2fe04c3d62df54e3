"""``ctypes``: data as C lays it out; native code can be neither loaded nor called.

The types hold values, in arrays and structures too. Libraries, addresses and functions of C are
refused at use, all but one: ``pythonapi.PyThreadState_SetAsyncExc``, with which programs end
their threads.
"""

from _cordon_refusal import refusal as _refusal
from ctypes import _data
from ctypes._data import Array, Bool, Char, Data as _CData, Pointer as _Pointer, Reference
from ctypes._data import Simple as _SimpleCData, WideChar
from ctypes._record import (
    BigEndianStructure,
    BigEndianUnion,
    LittleEndianStructure,
    LittleEndianUnion,
    Structure,
    Union,
)

DEFAULT_MODE = RTLD_LOCAL = 0
RTLD_GLOBAL = 256


def _refuse(what):
    return _refusal("ctypes." + what, "native libraries cannot be loaded into a component")


class ArgumentError(Exception):
    pass


def _simple(name, code, size, base=_SimpleCData):
    fields = {"_code_": code, "_type_": code, "_size_": size, "_align_": size, "_plain_": True}
    made = type(base)(name, (base,), dict(fields, __module__="ctypes"))
    globals()[name] = made
    return made


# The sizes are those of module struct in the component.
for _name, _code, _size in (
    ("c_byte", "b", 1),
    ("c_ubyte", "B", 1),
    ("c_short", "h", 2),
    ("c_ushort", "H", 2),
    ("c_int", "i", 4),
    ("c_uint", "I", 4),
    ("c_long", "l", 4),
    ("c_ulong", "L", 4),
    ("c_longlong", "q", 8),
    ("c_ulonglong", "Q", 8),
    ("c_float", "f", 4),
    ("c_double", "d", 8),
):
    _simple(_name, _code, _size)
_simple("c_bool", "?", 1, Bool)
_simple("c_char", "B", 1, Char)
_simple("c_wchar", "I", 4, WideChar)
for _name in ("c_char_p", "c_wchar_p", "c_void_p", "py_object"):
    _simple(_name, "I", 4, Reference)
c_int8, c_int16, c_int32, c_int64 = c_byte, c_short, c_int, c_longlong
c_uint8, c_uint16, c_uint32, c_uint64 = c_ubyte, c_ushort, c_uint, c_ulonglong
c_size_t, c_ssize_t, c_time_t = c_ulong, c_long, c_longlong
c_longdouble = c_double
HRESULT = c_long

_pointers = {}


def POINTER(cls):
    """The type of pointers to a type."""
    if cls is None:
        return c_void_p
    if cls not in _pointers:
        name = "LP_" + getattr(cls, "__name__", str(cls))
        fields = {"_type_": cls, "_size_": 4, "_align_": 4, "__module__": "ctypes"}
        _pointers[cls] = type(_Pointer)(name, (_Pointer,), fields)
    return _pointers[cls]


def pointer(target):
    """A pointer to an object."""
    made = POINTER(type(target))()
    made.contents = target
    return made


def byref(target, offset=0):
    """The argument for a function of C; it holds the object."""
    if offset:
        raise _refuse("byref with an offset")
    return pointer(target)


def _held(target):
    """The object that a pointer leads to, or the object itself."""
    return target.contents if isinstance(target, _Pointer) else target


def sizeof(target):
    return _measure(target, "_size_")


def alignment(target):
    return _measure(target, "_align_")


def _measure(target, which):
    kind = target if isinstance(target, type) else type(target)
    if not issubclass(kind, _CData):
        raise TypeError("this type has no size")
    return getattr(kind, which)


def create_string_buffer(init, size=None):
    """An array of characters: of this size, or with these bytes and a zero behind them."""
    if isinstance(init, bytes):
        made = (c_char * (len(init) + 1 if size is None else size))()
        made.value = init
        return made
    if isinstance(init, int):
        return (c_char * init)()
    raise TypeError(init)


c_buffer = create_string_buffer


def create_unicode_buffer(init, size=None):
    if isinstance(init, str):
        made = (c_wchar * (len(init) + 1 if size is None else size))()
        made.value = init
        return made
    if isinstance(init, int):
        return (c_wchar * init)()
    raise TypeError(init)


def _bytes_of(source, what):
    source = _held(source)
    if isinstance(source, (bytes, bytearray, memoryview, _CData)):
        return bytes(source)
    raise _refuse(what + " at an address")


def memmove(target, source, count):
    """Copies bytes into an object."""
    held = _held(target)
    if not isinstance(held, _CData):
        raise _refuse("memmove to an address")
    data = _bytes_of(source, "memmove")
    if not 0 <= count <= min(len(data), held._size_):
        raise ValueError("memmove of %d bytes does not fit into these objects" % count)
    held._put(data[:count])
    return target


def memset(target, value, count):
    """Fills the beginning of an object with a byte."""
    held = _held(target)
    if not isinstance(held, _CData):
        raise _refuse("memset at an address")
    if not 0 <= count <= held._size_:
        raise ValueError("memset of %d bytes does not fit into this object" % count)
    held._put(bytes((value & 255,)) * count)
    return target


def string_at(source, size=-1):
    data = _bytes_of(source, "string_at")
    return data.partition(b"\0")[0] if size < 0 else data[:size]


class _Refused:
    """A type that modules derive from and that cannot be made."""

    def __init__(self, *args, **kwargs):
        raise _refuse(type(self).__name__)


class _CFuncPtr(_Refused):
    pass


class CDLL(_Refused):
    pass


class PyDLL(CDLL):
    pass


class _Loader:
    """``cdll`` and its like: every name in it would be a library."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refuse("cdll." + name)

    def __getitem__(self, name):
        raise _refuse("cdll[%r]" % (name,))

    def LoadLibrary(self, name):
        raise _refuse("CDLL(%r)" % (name,))


LibraryLoader = _Loader
cdll = pydll = _Loader()


class _SetAsyncExc:
    """``PyThreadState_SetAsyncExc``: raises an exception in another thread."""

    # Programs name the types of their arguments.
    argtypes = restype = None

    def __call__(self, ident, failure):
        import _cordon_thread

        ident = getattr(ident, "value", ident)
        failure = getattr(failure, "value", failure)
        # A null pointer, by which programs take their exception back.
        return _cordon_thread.raise_in_thread(ident, failure or None)


class _PythonApi(_Loader):
    """``pythonapi``: one function of the interpreter's."""

    PyThreadState_SetAsyncExc = _SetAsyncExc()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refuse("pythonapi." + name)


pythonapi = _PythonApi()


def CFUNCTYPE(restype, *argtypes, use_errno=False, use_last_error=False):
    """A type of functions; none can be made."""
    return type("CFunctionType", (_CFuncPtr,), {"_restype_": restype, "_argtypes_": argtypes})


PYFUNCTYPE = CFUNCTYPE


def get_errno():
    return 0


def set_errno(value):
    return 0


def ARRAY(kind, length):
    return kind * length


def SetPointerType(pointer, cls):
    pointer._type_ = cls


def _function(name):
    def function(*args, **kwargs):
        raise _refuse(name)

    function.__name__ = function.__qualname__ = name
    return function


for _name in ("addressof", "cast", "resize", "wstring_at", "memoryview_at"):
    globals()[_name] = _function(_name)
del _code, _name, _size
