"""The base of the standard library's package ``sqlite3``.

The package's own Python comes with the interpreter; in CPython this module is written
in C. SQLite itself is part of the component, and ``_cordon_sqlite`` is its interface.
It opens only files that the plugin may open anyway.
"""

import time as _time

import _cordon_sqlite as _native
import _cordon_sqlite_constants as _constants
import _cordon_sqlite_errors as _errors
from _cordon_sqlite_blob import Blob
from _cordon_sqlite_callbacks import enable_callback_tracebacks
from _cordon_sqlite_connection import Connection
from _cordon_sqlite_cursor import Cursor
from _cordon_sqlite_errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
)
from _cordon_sqlite_row import Row
from _cordon_sqlite_transactions import LEGACY_TRANSACTION_CONTROL
from _cordon_sqlite_types import (
    PARSE_COLNAMES,
    PARSE_DECLTYPES,
    PrepareProtocol,
    adapt,
    adapters,
    converters,
    register_adapter,
    register_converter,
)

_native.prepare(_errors.make, _time.localtime)

sqlite_version = _native.version()

# The version of the module, not of SQLite; gone from Python 3.14, and still read by plugins.
version = "2.6.0"

# A connection may be used by several threads, one after the other.
threadsafety = 3

for _table in (_constants.CODES, _constants.ACTIONS, _constants.LIMITS, _constants.SWITCHES):
    globals().update(_table)
del _table


def connect(database, *arguments, factory=None, **named):
    """Open a connection to the SQLite database file 'database'."""
    # The sixth argument is the factory as well.
    if factory is None and len(arguments) > 4:
        factory = arguments[4]
    if factory is None:
        factory = Connection
    return factory(database, *arguments, **named)


def complete_statement(statement):
    """Checks if a string contains a complete SQL statement."""
    return _native.is_complete(statement)
