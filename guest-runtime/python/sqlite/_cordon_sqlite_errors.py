"""The exceptions of ``sqlite3``, and the codes of SQLite that raise them."""

from _cordon_sqlite_constants import NAMES


class Warning(Exception):
    """Kept for programs that catch it."""


class Error(Exception):
    """A fault of a database, or of its use."""


class InterfaceError(Error):
    """The module was used in a way that SQLite does not allow."""


class DatabaseError(Error):
    """An error that SQLite reports of a database."""


class DataError(DatabaseError):
    """A value that is too large."""


class OperationalError(DatabaseError):
    """A failure that is not the program's fault, and every error in SQL."""


class IntegrityError(DatabaseError):
    """A constraint that does not hold."""


class InternalError(DatabaseError):
    """A fault inside SQLite."""


class ProgrammingError(DatabaseError):
    """A call that makes no sense, such as one on a closed database."""


class NotSupportedError(DatabaseError):
    """A call that this SQLite cannot carry out."""


CLASSES = {
    kind.__name__: kind
    for kind in (
        Warning,
        Error,
        InterfaceError,
        DatabaseError,
        DataError,
        OperationalError,
        IntegrityError,
        InternalError,
        ProgrammingError,
        NotSupportedError,
    )
}

for _kind in CLASSES.values():
    _kind.__module__ = "sqlite3"

# The classes by the low byte of the code; for a code that is not here, DatabaseError.
_BY_CODE = {
    1: OperationalError,
    2: InternalError,
    3: OperationalError,
    4: OperationalError,
    5: OperationalError,
    6: OperationalError,
    8: OperationalError,
    9: OperationalError,
    10: OperationalError,
    12: InternalError,
    13: OperationalError,
    14: OperationalError,
    15: OperationalError,
    16: OperationalError,
    17: OperationalError,
    18: DataError,
    19: IntegrityError,
    20: IntegrityError,
    21: InterfaceError,
    25: InterfaceError,
}
_NO_MEMORY = 7


def make(kind, text):
    """The exception for a code of SQLite's, or of a class by its name."""
    if isinstance(kind, str):
        return CLASSES[kind](text)
    primary = kind & 0xFF
    if primary == _NO_MEMORY:
        return MemoryError()
    error = _BY_CODE.get(primary, DatabaseError)(text)
    error.sqlite_errorcode = kind
    error.sqlite_errorname = NAMES.get(kind, "unknown")
    return error
