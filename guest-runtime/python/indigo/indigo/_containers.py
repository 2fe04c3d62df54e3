"""``indigo.Dict`` and ``indigo.List``: containers that hand out copies.

Owns the keys and values that they may hold, the moments of copies, and their printed
form. Inside, nested containers are plain dictionaries and lists; they become ``Dict``
and ``List`` when somebody reads them. Nothing here knows the server.
"""

from indigo._errors import LowLevelBadParameterError

_PLAIN = frozenset((str, int, float, bool, type(None)))

# The depth of containers in containers: deeper ones would use up the interpreter's stack.
DEPTH_LIMIT = 64


def key_of_dict(key):
    """The key as a ``Dict`` keeps it: ASCII without blanks that begins with a letter.

    Raises `TypeError` for a key that is no text, and `LowLevelBadParameterError`, which
    is a `ValueError`, for one that the original refuses too (object model: 16).
    """
    key = text_key(key)
    if key.isascii() and key.isprintable() and key[:1].isalpha() and " " not in key:
        return key
    raise LowLevelBadParameterError(
        "%.100r is no key for indigo.Dict: a key is ASCII, has no blanks and begins with a"
        " letter; keep other texts as values, or as JSON in one text" % key
    )


def text_key(key):
    """Any text as a key. Raises `TypeError` for everything else."""
    if not isinstance(key, str):
        raise TypeError("keys of indigo.Dict are str, not %s" % type(key).__name__)
    return str.__str__(key)


def stored(value, depth=0, rule=key_of_dict):
    """The form in which a container keeps this value: a plain copy.

    ``rule`` returns a key as it is kept, or raises. Raises `TypeError` for a value that
    neither kind of container holds.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, dict):
        _check_depth(depth)
        if rule is key_of_dict and isinstance(value, Dict):
            # Its keys were checked when they were set, or the server sent them.
            rule = text_key
        return {rule(key): stored(item, depth + 1, rule) for key, item in dict.items(value)}
    if isinstance(value, (list, tuple)):
        _check_depth(depth)
        if rule is key_of_dict and isinstance(value, List):
            rule = text_key
        items = value if isinstance(value, tuple) else list.__iter__(value)
        return [stored(item, depth + 1, rule) for item in items]
    if isinstance(value, (bytes, bytearray)):
        # Bytes that are no text stay as they are: they may be a picture on its way to a browser.
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return bytes(value)
    # Subclasses, such as members of enumerations, become the plain type.
    for base in (bool, int, float, str):
        if isinstance(value, base):
            return base(base.__str__(value)) if base is str else base(value)
    raise TypeError(
        "indigo.Dict and indigo.List hold bool, int, float, str, dictionaries and lists, not %s"
        % kind.__name__
    )


def shown(value):
    """The value that a reader gets for a stored one."""
    kind = type(value)
    if kind is dict:
        return Dict._over(_copy(value))
    if kind is list:
        return List._over(_copy(value))
    return value


def plain(value):
    """A copy of plain containers all the way down."""
    if isinstance(value, (dict, list)):
        return _copy(value)
    return value


def _copy(value):
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [_copy(item) for item in list.__iter__(value)]
    return value


def _check_depth(depth):
    if depth >= DEPTH_LIMIT:
        raise ValueError("nested deeper than %d levels" % DEPTH_LIMIT)


class _Nested:
    """Access to the values in a nested container, without copies of it."""

    __slots__ = ()

    # The rule for the keys of dictionaries in it, its own included.
    _rule = staticmethod(key_of_dict)

    def _inner(self, key):
        inner = self._raw(key)
        if not isinstance(inner, (dict, list)):
            raise TypeError("the item %r is no container" % (key,))
        return inner

    def getitem_in_item(self, key, index):
        """The item ``index`` of the container under ``key``."""
        return shown(self._inner(key)[index])

    def setitem_in_item(self, key, index, value):
        """Sets the item ``index`` of the container under ``key``, in place."""
        inner = self._inner(key)
        if isinstance(inner, dict):
            index = self._rule(index)
        inner[index] = stored(value, rule=self._rule)


class Dict(_Nested, dict):
    """A dictionary with text keys whose nested values are read as copies."""

    __slots__ = ()

    def __init__(self, *args, **kwargs):
        dict.__init__(self)
        if args or kwargs:
            self.update(*args, **kwargs)

    @classmethod
    def _over(cls, items):
        """A Dict with these items, which are in stored form already."""
        self = cls.__new__(cls)
        dict.update(self, items)
        return self

    def _raw(self, key):
        return dict.__getitem__(self, key)

    def __getitem__(self, key):
        try:
            value = dict.__getitem__(self, key)
        except KeyError:
            raise KeyError("key %s not found in dict" % (key,)) from None
        return shown(value) if type(value) in (dict, list) else value

    def __setitem__(self, key, value):
        dict.__setitem__(self, self._rule(key), stored(value, rule=self._rule))

    def __iter__(self):
        # Over the keys of now: whoever goes through them may delete and add.
        return iter(list(dict.keys(self)))

    def __reversed__(self):
        return reversed(list(dict.keys(self)))

    def __delitem__(self, key):
        try:
            dict.__delitem__(self, key)
        except KeyError:
            raise KeyError("key %s not found in dict" % (key,)) from None

    def get(self, key, default=None):
        if key not in self:
            return default
        return shown(dict.__getitem__(self, key))

    def has_key(self, key):
        return key in self

    def values(self):
        return [shown(value) for value in dict.values(self)]

    def items(self):
        return [(key, shown(value)) for key, value in dict.items(self)]

    def keys(self):
        return list(dict.keys(self))

    iterkeys, itervalues, iteritems = keys, values, items

    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key, *default):
        return shown(dict.pop(self, key, *default))

    def popitem(self):
        key, value = dict.popitem(self)
        return key, shown(value)

    def update(self, *args, **kwargs):
        """As for a dictionary; all or nothing, when a value is refused."""
        # A Dict answers keys() with copies of nested values; those are copied anyway.
        given = args[0] if len(args) == 1 and not kwargs else None
        given = given if isinstance(given, Dict) else dict(*args, **kwargs)
        dict.update(self, stored(given, rule=self._rule))

    def __ior__(self, other):
        self.update(other)
        return self

    def __or__(self, other):
        merged = self.copy()
        merged.update(other)
        return merged

    def copy(self):
        return Dict._over(_copy(self))

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        return (_restored, (self.to_dict(),))

    def to_dict(self):
        """A plain dictionary, plain all the way down."""
        return _copy(self)

    def __str__(self):
        return described(self)

    __repr__ = __str__


def _restored(items):
    """The Dict that `pickle` and `copy` were given these items of."""
    return Dict._over(items)


class List(_Nested, list):
    """A list whose nested values are read as copies. It has no slices, as in the original."""

    __slots__ = ()

    def __init__(self, items=()):
        list.__init__(self)
        self.extend(items)

    @classmethod
    def _over(cls, items):
        self = cls.__new__(cls)
        list.extend(self, items)
        return self

    def _raw(self, index):
        return list.__getitem__(self, index)

    def __getitem__(self, index):
        return shown(list.__getitem__(self, _place(index)))

    def __setitem__(self, index, value):
        list.__setitem__(self, _place(index), stored(value))

    def __delitem__(self, index):
        list.__delitem__(self, _place(index))

    def __iter__(self):
        # Over the items of now, as with a Dict.
        return map(shown, list(list.__iter__(self)))

    def __reversed__(self):
        return map(shown, list(list.__reversed__(self)))

    def append(self, value):
        list.append(self, stored(value))

    def insert(self, index, value):
        list.insert(self, index, stored(value))

    def extend(self, items):
        list.extend(self, [stored(value) for value in items])

    def __iadd__(self, items):
        self.extend(items)
        return self

    def __add__(self, items):
        joined = self.copy()
        joined.extend(items)
        return joined

    def pop(self, index=-1):
        return shown(list.pop(self, index))

    def copy(self):
        return List._over(_copy(self))

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        return (List, (self.to_list(),))

    def to_list(self):
        """A plain list, plain all the way down."""
        return _copy(self)

    def __str__(self):
        return described(self)

    __repr__ = __str__


def _place(index):
    """The index of one item. Raises `TypeError` for a slice."""
    if isinstance(index, slice):
        raise TypeError("an indigo.List has no slices: use list(items)[a:b]")
    return index


_KINDS = {str: "string", bool: "bool", int: "integer", float: "real", type(None): "none"}


def described(value, name="Data", indent=0):
    """The printed form: one line per item, nested ones further in."""
    return "\n".join(_lines(name, value, indent))


def _lines(name, value, indent):
    margin = " " * indent
    if isinstance(value, dict):
        yield "%s%s : (dict)" % (margin, name)
        for key in sorted(dict.keys(value)):
            yield from _lines(key, dict.__getitem__(value, key), indent + 5)
    elif isinstance(value, list):
        yield "%s%s : (list)" % (margin, name)
        for item in list.__iter__(value):
            yield from _lines("Item", item, indent + 5)
    else:
        kind = _KINDS.get(type(value), type(value).__name__)
        yield "%s%s : %s (%s)" % (margin, name, value, kind)
