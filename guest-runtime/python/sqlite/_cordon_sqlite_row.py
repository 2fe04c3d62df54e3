"""``sqlite3.Row``: a row whose columns have names."""

from operator import index as as_index


class Row:
    """A row that is read by position and by the name of the column."""

    __slots__ = ("_values", "_description")
    __module__ = "sqlite3"

    def __new__(cls, cursor, data, /):
        from _cordon_sqlite_cursor import Cursor

        if not isinstance(cursor, Cursor):
            raise TypeError("argument 1 must be sqlite3.Cursor, not %s" % type(cursor).__name__)
        if not isinstance(data, tuple):
            raise TypeError("argument 2 must be tuple, not %s" % type(data).__name__)
        row = object.__new__(cls)
        row._values = data
        row._description = cursor._description
        return row

    def keys(self):
        """Returns the keys of the row."""
        return [column[0] for column in self._description or ()]

    def __getitem__(self, key):
        if isinstance(key, str):
            return self._values[self._position(key)]
        if isinstance(key, slice):
            return self._values[key]
        try:
            position = as_index(key)
        except TypeError:
            raise IndexError("Index must be int or string") from None
        try:
            return self._values[position]
        except IndexError:
            raise IndexError("tuple index out of range") from None

    def _position(self, name):
        description = self._description or ()
        for position, column in enumerate(description):
            if column[0] == name:
                return position
        # Capitals of ASCII are not told apart, as in SQL.
        if name.isascii():
            lowered = name.lower()
            for position, column in enumerate(description):
                if column[0].isascii() and column[0].lower() == lowered:
                    return position
        raise IndexError("No item with that key")

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __hash__(self):
        return hash(self._description) ^ hash(self._values)

    def __eq__(self, other):
        if not isinstance(other, Row):
            return NotImplemented
        return self._description == other._description and self._values == other._values

    def __ne__(self, other):
        if not isinstance(other, Row):
            return NotImplemented
        return not self == other

    def __repr__(self):
        return "<sqlite3.Row object at %#x>" % id(self)
