"""Copies of whole databases: backup, serialize, deserialize."""

import time

from _cordon_sqlite import describe
from _cordon_sqlite_errors import OperationalError, make

_OK, _BUSY, _LOCKED, _DONE = 0, 5, 6, 101


class Copying:
    """The part of a connection that is about copies."""

    def backup(self, target, *, pages=-1, progress=None, name="main", sleep=0.250):
        """Makes a backup of the database."""
        self._check()
        if not isinstance(target, Copying):
            raise TypeError(
                "backup() argument 'target' must be sqlite3.Connection, not %s"
                % type(target).__name__
            )
        if target is self:
            raise ValueError("target cannot be the same connection instance")
        target._check()
        if progress is not None and not callable(progress):
            raise TypeError("progress argument must be a callable")
        if pages == 0:
            pages = -1
        if target.in_transaction:
            raise OperationalError("target is in transaction")
        copy = target._database.backup_from(self._database, name)
        try:
            while True:
                code = copy.step(pages)
                if progress is not None:
                    progress(code, *copy.progress())
                if code in (_BUSY, _LOCKED):
                    # Whoever has the lock runs meanwhile.
                    time.sleep(sleep)
                elif code != _OK:
                    break
        finally:
            copy.finish()
        if code != _DONE:
            raise make(code, describe(code))

    def serialize(self, *, name="main"):
        """Serialize a database into a byte string."""
        self._check()
        data = self._database.serialize(name)
        if data is None:
            raise OperationalError("unable to serialize '%s'" % name)
        return data

    def deserialize(self, data, /, *, name="main"):
        """Load a serialized database."""
        self._check()
        if isinstance(data, str):
            data = data.encode()
        self._database.deserialize(name, data)
