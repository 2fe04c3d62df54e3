"""The beginning and the end of a connection's transactions."""

from _cordon_sqlite_errors import ProgrammingError

# `autocommit` for the way of `isolation_level`.
LEGACY_TRANSACTION_CONTROL = -1

_LEVELS = ("", "DEFERRED", "IMMEDIATE", "EXCLUSIVE")


class Transactions:
    """The part of a connection that is about transactions.

    With ``isolation_level`` a transaction begins before the first change of data;
    with ``autocommit`` set to false one is always open, set to true none is begun.
    """

    _level = ""
    _mode = LEGACY_TRANSACTION_CONTROL

    @staticmethod
    def _checked_level(level):
        if level is None:
            return None
        if not isinstance(level, str):
            raise TypeError("isolation_level must be str or None")
        if "\0" in level:
            raise ValueError("embedded null character")
        level.encode()
        level = str.upper(level)
        if level not in _LEVELS:
            raise ValueError(
                "isolation_level string must be '', 'DEFERRED', 'IMMEDIATE', or 'EXCLUSIVE'"
            )
        return level

    @staticmethod
    def _checked_mode(mode):
        if mode is True or mode is False:
            return mode
        if type(mode) is int and mode == LEGACY_TRANSACTION_CONTROL:
            return mode
        raise ValueError("autocommit must be True, False, or sqlite3.LEGACY_TRANSACTION_CONTROL")

    @property
    def in_transaction(self):
        self._check_open()
        return not self._database.autocommit()

    @property
    def isolation_level(self):
        self._check_open()
        return self._level

    @isolation_level.setter
    def isolation_level(self, level):
        self._check_thread()
        level = self._checked_level(level)
        if level is None and self._mode == LEGACY_TRANSACTION_CONTROL and self._ready:
            self.commit()
        self._level = level

    @isolation_level.deleter
    def isolation_level(self):
        raise AttributeError("cannot delete attribute")

    @property
    def autocommit(self):
        self._check()
        return self._mode

    @autocommit.setter
    def autocommit(self, mode):
        self._check()
        mode = self._checked_mode(mode)
        if mode is True and self.in_transaction:
            self._database.run_script("COMMIT")
        elif mode is False and not self.in_transaction:
            self._database.run_script("BEGIN")
        self._mode = mode

    def commit(self):
        """Commit any pending transaction to the database."""
        self._end("COMMIT")

    def rollback(self):
        """Roll back to the start of any pending transaction."""
        self._end("ROLLBACK")

    def _end(self, sql):
        self._check()
        if self._mode is True:
            return
        database = self._database
        if not database.autocommit():
            database.run_script(sql)
        if self._mode is False:
            database.run_script("BEGIN")

    def _begin_implicitly(self):
        """Before a change of data."""
        if self._mode is True or self._mode is False:
            return
        if self._level is not None and self._database.autocommit():
            self._database.run_script("BEGIN " + self._level)

    def _commit_before_script(self):
        if self._mode is True or self._mode is False:
            return
        if not self._database.autocommit():
            self._database.run_script("COMMIT")
