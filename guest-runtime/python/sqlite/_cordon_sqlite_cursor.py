"""``sqlite3.Cursor``: one statement after the other, and the rows of the last."""

from collections import abc

from _cordon_sqlite_errors import InterfaceError, ProgrammingError
from _cordon_sqlite_types import (
    adapt_parameter,
    column_converters,
    column_title,
    plain_is_adapted,
)


class Cursor:
    """SQLite database cursor class."""

    __module__ = "sqlite3"

    # Until __init__ has run; a subclass may forget to call it.
    _ready = False
    _busy = False
    _closed = False
    _statement = None
    _description = None
    _converters = None
    _lastrowid = None
    _rowcount = -1

    def __init__(self, connection, /):
        from _cordon_sqlite_connection import Connection

        if not isinstance(connection, Connection):
            raise TypeError(
                "argument 1 must be sqlite3.Connection, not %s" % type(connection).__name__
            )
        if self._busy:
            raise ProgrammingError("Recursive use of cursors not allowed.")
        self._drop_statement()
        self._connection = connection
        self._closed = False
        self._description = self._converters = self._lastrowid = None
        self._rowcount = -1
        self.arraysize = 1
        self.row_factory = None
        connection._check_thread()
        self._ready = True

    @property
    def connection(self):
        return self._connection

    @property
    def description(self):
        return self._description

    @property
    def lastrowid(self):
        return self._lastrowid

    @property
    def rowcount(self):
        return self._rowcount

    def __del__(self):
        self._drop_statement()

    def execute(self, sql, parameters=(), /):
        """Executes an SQL statement."""
        self._check()
        return self._execute(sql, (parameters,), False)

    def executemany(self, sql, seq_of_parameters, /):
        """Repeatedly executes an SQL statement."""
        self._check()
        return self._execute(sql, iter(seq_of_parameters), True)

    def executescript(self, sql_script, /):
        """Executes multiple SQL statements at once."""
        self._check()
        if not isinstance(sql_script, str):
            raise TypeError(
                "executescript() argument must be str, not %s" % type(sql_script).__name__
            )
        if "\0" in sql_script:
            raise ValueError("embedded null character")
        connection = self._connection
        connection._check_length(sql_script)
        connection._commit_before_script()
        connection._database.run_script(sql_script)
        return self

    def fetchone(self):
        """Fetches one row from the resultset."""
        return next(self, None)

    def fetchmany(self, size=None):
        """Fetches several rows from the resultset."""
        size = self.arraysize if size is None else size
        return self._fetch(size if size > 0 else 0) if size != 0 else []

    def fetchall(self):
        """Fetches all rows from the resultset."""
        return self._fetch(-1)

    def setinputsizes(self, sizes, /):
        """Required by DB-API. Does nothing in sqlite3."""

    def setoutputsize(self, size, column=None, /):
        """Required by DB-API. Does nothing in sqlite3."""

    def close(self):
        """Closes the cursor."""
        if self._busy:
            raise ProgrammingError("Recursive use of cursors not allowed.")
        if not self._ready:
            raise ProgrammingError("Base Cursor.__init__ not called.")
        self._connection._check()
        self._drop_statement()
        self._closed = True

    def __iter__(self):
        return self

    def __next__(self):
        self._check()
        statement = self._statement
        if statement is None:
            raise StopIteration
        self._busy = True
        try:
            if not statement.has_row():
                row = None
            else:
                row = statement.row(self._connection.text_factory, self._converters)
        finally:
            self._busy = False
        if row is None:
            self._drop_statement()
            raise StopIteration
        try:
            if not statement.step():
                self._finish()
        except BaseException:
            self._drop_statement()
            raise
        if self.row_factory is not None:
            row = self.row_factory(self, row)
        return row

    def _fetch(self, most):
        if self.row_factory is not None:
            # The factory is called between rows and may look at the cursor.
            rows = []
            for row in self:
                rows.append(row)
                if len(rows) == most:
                    break
            return rows
        self._check()
        statement = self._statement
        rows = []
        if statement is None:
            return rows
        self._busy = True
        try:
            left = statement.rows(rows, most, self._connection.text_factory, self._converters)
        except BaseException:
            self._busy = False
            self._drop_statement()
            raise
        self._busy = False
        if not left:
            self._finish()
        return rows

    def _execute(self, sql, many, repeated):
        if not isinstance(sql, str):
            raise TypeError(
                "execute%s() argument 1 must be str, not %s"
                % ("many" if repeated else "", type(sql).__name__)
            )
        connection = self._connection
        self._busy = True
        try:
            self._drop_statement()
            self._description = self._converters = None
            self._rowcount = -1
            statement = self._statement = connection._claim(sql)
            if statement is None:
                return self
            if repeated and statement.is_readonly():
                raise ProgrammingError("executemany() can only execute DML statements.")
            changes = statement.changes_data
            if changes:
                self._rowcount = 0
                connection._begin_implicitly()
            database = connection._database
            row = False
            for parameters in many:
                row = statement.run(
                    _values(statement, parameters), adapt_parameter, plain_is_adapted[0]
                )
                if self._description is None:
                    self._describe(statement, connection)
                if changes and not row:
                    self._rowcount += database.changes()
            if not repeated:
                self._lastrowid = database.last_insert_rowid()
            if not row:
                self._drop_statement()
        except BaseException:
            self._drop_statement()
            self._rowcount = -1
            raise
        finally:
            self._busy = False
        return self

    def _describe(self, statement, connection):
        names = statement.column_names()
        if not names:
            return
        detect_types = connection._detect_types
        if detect_types:
            self._converters = column_converters(detect_types, names, statement.declared_types())
            names = [column_title(detect_types, name) for name in names]
        self._description = tuple([(name, None, None, None, None, None, None) for name in names])

    def _finish(self):
        """The last row was read."""
        statement = self._statement
        if statement is not None and statement.changes_data:
            self._rowcount = self._connection._database.changes()
        self._drop_statement()

    def _drop_statement(self):
        statement = self._statement
        if statement is not None:
            self._statement = None
            statement.release()

    def _check(self):
        if not self._ready:
            raise ProgrammingError("Base Cursor.__init__ not called.")
        if self._closed:
            raise ProgrammingError("Cannot operate on a closed cursor.")
        if self._busy:
            raise ProgrammingError("Recursive use of cursors not allowed.")
        connection = self._connection
        connection._check_thread()
        connection._check_open()


def _values(statement, parameters):
    """The parameters in the order of the statement."""
    kind = type(parameters)
    if kind is not tuple and kind is not list:
        if isinstance(parameters, dict) or not _is_sequence(parameters):
            return _named(statement, parameters)
        try:
            parameters = [parameters[i] for i in range(len(parameters))]
        except IndexError:
            # A sequence that is shorter than it says.
            raise ProgrammingError("the sequence of parameters has no such item") from None
    needed = statement.parameter_count()
    if len(parameters) != needed:
        raise ProgrammingError(
            "Incorrect number of bindings supplied. The current statement uses %d, "
            "and there are %d supplied." % (needed, len(parameters))
        )
    return parameters


def _is_sequence(parameters):
    if isinstance(parameters, (tuple, list, abc.Sequence)):
        return True
    return (
        hasattr(type(parameters), "__getitem__")
        and hasattr(type(parameters), "__len__")
        and not hasattr(type(parameters), "keys")
    )


def _named(statement, parameters):
    names = statement.parameter_names()
    if not isinstance(parameters, dict) and not hasattr(type(parameters), "__getitem__"):
        raise ProgrammingError("parameters are of unsupported type")
    values = []
    for number, name in enumerate(names, 1):
        if name is None:
            raise ProgrammingError(
                "Binding %d has no name, but you supplied a dictionary (which has only names)."
                % number
            )
        try:
            values.append(parameters[name[1:]])
        except LookupError:
            raise ProgrammingError(
                "You did not supply a value for binding parameter :%s." % name[1:]
            ) from None
    return values
