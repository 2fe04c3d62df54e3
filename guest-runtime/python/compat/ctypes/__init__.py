"""``ctypes``: can be imported; native code can be neither loaded nor called.

The simple types hold values, because modules make some at import; whatever needs
memory or a library is refused at use.
"""

from _cordon_refusal import refusal as _refusal

DEFAULT_MODE = RTLD_LOCAL = 0
RTLD_GLOBAL = 256


def _refuse(what):
    return _refusal("ctypes." + what, "native libraries cannot be loaded into a component")


class ArgumentError(Exception):
    pass


class _SimpleCData:
    _default = 0
    _size = 4

    def __init__(self, value=None):
        self.value = self._default if value is None else value

    def __repr__(self):
        return "%s(%r)" % (type(self).__name__, self.value)


def _simple(name, size, default=0):
    return type(name, (_SimpleCData,), {"_size": size, "_default": default, "__module__": "ctypes"})


for _name, _size in (
    ("c_byte", 1),
    ("c_ubyte", 1),
    ("c_bool", 1),
    ("c_short", 2),
    ("c_ushort", 2),
    ("c_int", 4),
    ("c_uint", 4),
    ("c_long", 4),
    ("c_ulong", 4),
    ("c_longlong", 8),
    ("c_ulonglong", 8),
    ("c_size_t", 4),
    ("c_ssize_t", 4),
    ("c_int8", 1),
    ("c_uint8", 1),
    ("c_int16", 2),
    ("c_uint16", 2),
    ("c_int32", 4),
    ("c_uint32", 4),
    ("c_int64", 8),
    ("c_uint64", 8),
    ("c_time_t", 8),
):
    globals()[_name] = _simple(_name, _size)
for _name, _size in (("c_float", 4), ("c_double", 8), ("c_longdouble", 8)):
    globals()[_name] = _simple(_name, _size, 0.0)
for _name in ("c_char_p", "c_wchar_p", "c_void_p", "py_object"):
    globals()[_name] = _simple(_name, 4, None)
c_char = _simple("c_char", 1, b"\0")
c_wchar = _simple("c_wchar", 4, "\0")


class _Refused:
    """A type that modules derive from and that cannot be made."""

    _fields_ = ()

    def __init__(self, *args, **kwargs):
        raise _refuse(type(self).__name__)


class Structure(_Refused):
    pass


class Union(_Refused):
    pass


class BigEndianStructure(Structure):
    pass


class LittleEndianStructure(Structure):
    pass


class BigEndianUnion(Union):
    pass


class LittleEndianUnion(Union):
    pass


class Array(_Refused):
    pass


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
cdll = pydll = pythonapi = _Loader()


def CFUNCTYPE(restype, *argtypes, use_errno=False, use_last_error=False):
    """A type of functions; none can be made."""
    return type("CFunctionType", (_CFuncPtr,), {"_restype_": restype, "_argtypes_": argtypes})


PYFUNCTYPE = CFUNCTYPE


def POINTER(cls):
    return type("LP_" + getattr(cls, "__name__", str(cls)), (_Refused,), {"_type_": cls})


def sizeof(obj):
    size = getattr(obj, "_size", None)
    if size is None:
        raise _refuse("sizeof")
    return size


def get_errno():
    return 0


def set_errno(value):
    return 0


def _function(name):
    def function(*args, **kwargs):
        raise _refuse(name)

    function.__name__ = function.__qualname__ = name
    return function


for _name in (
    "addressof",
    "alignment",
    "byref",
    "cast",
    "create_string_buffer",
    "create_unicode_buffer",
    "memmove",
    "memset",
    "pointer",
    "resize",
    "string_at",
    "wstring_at",
    "memoryview_at",
):
    globals()[_name] = _function(_name)
c_buffer = create_string_buffer
