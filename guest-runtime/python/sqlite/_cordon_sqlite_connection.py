"""``sqlite3.Connection``."""

import os
import weakref
from _thread import get_ident

import _cordon_sqlite_callbacks as callbacks
from _cordon_sqlite import open as open_database
from _cordon_sqlite_blob import Blob
from _cordon_sqlite_constants import LIMITS, SWITCHES
from _cordon_sqlite_copy import Copying
from _cordon_sqlite_cursor import Cursor
from _cordon_sqlite_errors import CLASSES, DataError, ProgrammingError
from _cordon_sqlite_transactions import LEGACY_TRANSACTION_CONTROL, Transactions

# Flags of sqlite3_open_v2.
_READ_WRITE, _CREATE, _URI = 2, 4, 64

_FUNCTION, _AGGREGATE, _WINDOW = range(3)

# Longest timeout in milliseconds: a C int.
_LONGEST = (1 << 31) - 1


class Connection(Transactions, Copying):
    """SQLite database connection object."""

    __module__ = "sqlite3"

    # Until __init__ has run; a subclass may forget to call it.
    _ready = False
    _database = None
    _blobs = ()

    def __init__(
        self,
        database,
        timeout=5.0,
        detect_types=0,
        isolation_level="",
        check_same_thread=True,
        factory=None,
        cached_statements=128,
        uri=False,
        *,
        autocommit=LEGACY_TRANSACTION_CONTROL,
    ):
        name = os.fsencode(database)
        if b"\0" in name:
            raise ValueError("embedded null byte")
        level = self._checked_level(isolation_level)
        mode = self._checked_mode(autocommit)
        # Cursors of a connection that is initialised again keep the old database.
        self._close_blobs()
        self._database = None
        self._ready = False
        flags = _READ_WRITE | _CREATE | (_URI if uri else 0)
        opened = open_database(name, flags)
        opened.busy_timeout(min(max(int(timeout * 1000), 0), _LONGEST))
        self._database = opened
        self._detect_types = detect_types
        self._thread = get_ident() if check_same_thread else None
        self._cache = {}
        self._cached = max(cached_statements, 0)
        self._blobs = weakref.WeakSet()
        self.row_factory = None
        self.text_factory = str
        self._level = level
        self._mode = mode
        self._ready = True
        if mode is False:
            opened.run_script("BEGIN")

    def __call__(self, *arguments):
        """Compiles a statement."""
        self._check()
        (sql,) = arguments
        if not isinstance(sql, str):
            raise TypeError("argument 1 must be str, not %s" % type(sql).__name__)
        return self._database.prepare(sql)

    def cursor(self, factory=Cursor):
        """Return a cursor for the connection."""
        self._check()
        cursor = factory(self)
        if not issubclass(type(cursor), Cursor):
            raise TypeError("factory must return a cursor, not %s" % type(cursor).__name__)
        if self.row_factory is not None:
            cursor.row_factory = self.row_factory
        return cursor

    def execute(self, sql, parameters=(), /):
        """Executes an SQL statement."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql, parameters, /):
        """Repeatedly executes an SQL statement."""
        return self.cursor().executemany(sql, parameters)

    def executescript(self, sql_script, /):
        """Executes multiple SQL statements at once."""
        return self.cursor().executescript(sql_script)

    def close(self):
        """Close the database connection. Any pending transaction is not committed."""
        self._check_thread()
        if not self._ready:
            raise ProgrammingError("Base Connection.__init__ not called.")
        if self._mode is False and self.in_transaction:
            self._database.run_script("ROLLBACK")
        self._close_database()

    def interrupt(self):
        """Abort any pending database operation."""
        self._check_open()
        self._database.interrupt()

    @property
    def total_changes(self):
        self._check()
        return self._database.total_changes()

    def create_function(self, name, narg, func, *, deterministic=False):
        """Creates a new function."""
        self._check()
        wrapper = None if func is None else callbacks.function(func)
        self._register(name, narg, _FUNCTION, wrapper, bool(deterministic))

    def create_aggregate(self, name, n_arg, aggregate_class):
        """Creates a new aggregate."""
        self._check()
        wrapper = None if aggregate_class is None else callbacks.aggregate(aggregate_class)
        self._register(name, n_arg, _AGGREGATE, wrapper)

    def create_window_function(self, name, num_params, aggregate_class, /):
        """Creates or redefines an aggregate window function."""
        self._check()
        wrapper = None if aggregate_class is None else callbacks.aggregate(aggregate_class)
        try:
            self._database.function(name, num_params, _WINDOW, False, wrapper)
        except CLASSES["InterfaceError"] as error:
            # More parameters than SQLite has room for.
            raise ProgrammingError(str(error)) from None

    def _register(self, name, count, kind, wrapper, deterministic=False):
        try:
            self._database.function(name, count, kind, deterministic, wrapper)
        except CLASSES["DatabaseError"] as error:
            if kind == _AGGREGATE:
                raise CLASSES["OperationalError"]("Error creating aggregate") from None
            raise CLASSES["OperationalError"]("Error creating function") from None
        except CLASSES["InterfaceError"]:
            noun = "aggregate" if kind == _AGGREGATE else "function"
            raise CLASSES["OperationalError"]("Error creating " + noun) from None

    def create_collation(self, name, callback, /):
        """Creates a collation function."""
        self._check()
        if callback is not None and not callable(callback):
            raise TypeError("parameter must be callable")
        wrapper = None if callback is None else callbacks.collation(callback)
        self._database.collation(name, wrapper)

    def set_authorizer(self, authorizer_callback):
        """Set authorizer callback."""
        self._check()
        wrapper = None
        if authorizer_callback is not None:
            wrapper = callbacks.authorizer(authorizer_callback)
        self._database.set_authorizer(wrapper)

    def set_progress_handler(self, progress_handler, n):
        """Set progress handler callback."""
        self._check()
        wrapper = None if progress_handler is None else callbacks.progress(progress_handler)
        self._database.set_progress(wrapper, n)

    def set_trace_callback(self, trace_callback):
        """Set a trace callback called for each SQL statement (passed as unicode)."""
        self._check()
        wrapper = None
        if trace_callback is not None:
            wrapper = callbacks.trace(trace_callback, DataError)
        self._database.set_trace(wrapper)

    def enable_load_extension(self, enable, /):
        """There is nothing to enable: code cannot be loaded into a component."""
        raise CLASSES["NotSupportedError"](
            "extensions cannot be loaded: a plugin's SQLite runs inside its component"
        )

    def load_extension(self, name, /, *, entrypoint=None):
        """Refuses: code cannot be loaded into a component."""
        self.enable_load_extension(True)

    def getlimit(self, category, /):
        """Get connection run-time limits."""
        return self.setlimit(category, -1)

    def setlimit(self, category, limit, /):
        """Set connection run-time limits and return the value before."""
        self._check()
        if category not in LIMITS.values():
            raise ProgrammingError("'category' is out of bounds")
        return self._database.limit(category, limit)

    def getconfig(self, op, /):
        """Query a boolean connection configuration option."""
        return self._switch(op, -1)

    def setconfig(self, op, enable=True, /):
        """Set a boolean connection configuration option."""
        wanted = bool(enable)
        if self._switch(op, wanted) != wanted:
            raise CLASSES["OperationalError"]("Unable to set config")

    def _switch(self, op, value):
        self._check()
        if op not in SWITCHES.values():
            raise ValueError("unknown config 'op': %d" % op)
        return self._database.switch(op, int(value))

    def blobopen(self, table, column, row, /, *, readonly=False, name="main"):
        """Open and return a BLOB object."""
        self._check()
        handle = self._database.blob(name, table, column, row, not readonly)
        blob = Blob._open(self, handle)
        self._blobs.add(blob)
        return blob

    def iterdump(self, *, filter=None):
        """Returns iterator to the dump of the database in an SQL text format."""
        self._check()
        from sqlite3.dump import _iterdump

        return _iterdump(self, filter=filter)

    def __enter__(self):
        self._check()
        return self

    def __exit__(self, kind, _error, _traceback, /):
        self._check()
        if self._mode is True:
            return False
        if kind is not None:
            self.rollback()
            return False
        try:
            self.commit()
        except BaseException:
            # A commit that fails leaves the transaction open.
            self.rollback()
            raise
        return False

    def _claim(self, sql):
        """The compiled statement, for the one cursor that asks; None for a remark."""
        cache = self._cache
        statement = cache.pop(sql, None)
        if statement is None:
            statement = self._database.prepare(sql)
            if statement is None:
                return None
        # Last in the order is the one used last.
        if self._cached:
            cache[sql] = statement
            if len(cache) > self._cached:
                cache.pop(next(iter(cache)), None)
        if statement.claim():
            return statement
        statement = self._database.prepare(sql)
        statement.claim()
        return statement

    def _close_database(self):
        database = self._database
        if database is None:
            return
        self._close_blobs()
        database.close()
        self._database = None
        self._cache.clear()

    def _close_blobs(self):
        for blob in list(self._blobs):
            blob._drop()

    def _check_length(self, text):
        if len(text.encode()) > self._database.limit(LIMITS["SQLITE_LIMIT_SQL_LENGTH"], -1):
            raise DataError("query string is too large")

    def _check(self):
        self._check_thread()
        self._check_open()

    def _check_open(self):
        if not self._ready:
            raise ProgrammingError("Base Connection.__init__ not called.")
        if self._database is None:
            raise ProgrammingError("Cannot operate on a closed database.")

    def _check_thread(self):
        if self._ready and self._thread is not None and get_ident() != self._thread:
            raise ProgrammingError(
                "SQLite objects created in a thread can only be used in that same thread. "
                "The object was created in thread id %d and this is thread id %d."
                % (self._thread, get_ident())
            )


# The exceptions are reachable through every connection, as the DB-API suggests.
for _name, _kind in CLASSES.items():
    setattr(Connection, _name, _kind)
del _name, _kind
