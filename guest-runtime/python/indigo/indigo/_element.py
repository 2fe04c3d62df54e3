"""The common part of the copies of all objects of the server.

Owns the ways in which the attributes of a copy are held, read, set and printed. A copy
holds the values that the server sent as they came. Descriptors convert enumerations,
dates and dictionaries when they are read, so that an attribute that nobody reads costs
nothing. Only the methods named after the server call the server.
"""

import datetime

from indigo import _call
from indigo._containers import Dict, List, described, plain, stored


class Field:
    """An attribute that is converted when it is read."""

    def __init__(self, name, default, read, write=None):
        self.name = name
        self._default = default
        self._read = read
        self._write = write

    def __get__(self, element, owner=None):
        if element is None:
            return self
        return self._read(element.__dict__.get(self.name, self._default))

    def __set__(self, element, value):
        if self._write is None:
            raise AttributeError("can't set attribute '%s'" % self.name)
        element.__dict__[self.name] = self._write(value)


def choice(enumeration):
    """The kind of a field that holds a member of an enumeration."""

    def write(value):
        value = enumeration._of(value)
        return getattr(value, "name", value)

    return lambda name: Field(name, next(iter(enumeration.names)), enumeration._of, write)


def dictionary(name):
    """The kind of a field that is read as a fresh `Dict`."""
    return Field(name, {}, _as_dict, stored)


def sequence(name):
    """The kind of a field that is read as a fresh `List`."""
    return Field(name, (), _as_list, lambda value: stored(list(value)))


def date(name):
    """The kind of a field that is read as a ``datetime`` or ``None``."""
    return Field(name, None, _call.moment, _written_date)


def _as_dict(value):
    return Dict._over({key: plain(item) for key, item in value.items()} if value else {})


def _as_list(value):
    return List._over([plain(item) for item in value or ()])


def _written_date(value):
    if isinstance(value, datetime.datetime):
        return value.strftime(_call._DATE)
    return None if value is None else str(value)


class BaseElem:
    """A copy of an object of the server; changes stay in the copy."""

    # Of the namespace whose commands take this object, such as "device".
    _namespace = None
    # Names of attributes that a plugin may set and send.
    _writable = frozenset()
    # All names, in the order in which they are printed.
    _fields = ()
    # Names that were set since the copy came from the server.
    _changed = frozenset()
    # How a dictionary is called in print, where not "Data".
    _titles = {"states": "States", "globalProps": "MetaProps", "sharedProps": "SharedProps"}

    id = 0
    name = ""
    description = ""
    folderId = 0
    remoteDisplay = True

    def __init__(self, *args, **kwargs):
        raise RuntimeError(
            "objects of class %s come from the server: use the collections of module indigo,"
            " or a command that creates one" % type(self).__name__
        )

    @classmethod
    def _from(cls, data):
        """The object for travelling data, which is given away to it."""
        self = object.__new__(cls)
        self.__dict__.update(data)
        return self

    def __setattr__(self, name, value):
        if name in self._writable:
            if not self._changed:
                self.__dict__["_changed"] = set()
            self._changed.add(name)
        elif name in self._fields:
            raise AttributeError("can't set attribute '%s' of a copy: it is the server's" % name)
        object.__setattr__(self, name, value)

    def __dir__(self):
        """The names in the documents: some plugins go through them and send all they find."""
        return [
            name
            for name in object.__dir__(self)
            if not name.startswith("_") or name.startswith("__")
        ]

    def __iter__(self):
        """Pairs of name and value, for ``dict(element)``; containers are plain."""
        yield "class", "indigo." + type(self).__name__
        for name in self._fields:
            value = getattr(self, name)
            yield name, plain(value)

    def __str__(self):
        lines = []
        for name in self._fields:
            value = getattr(self, name)
            if isinstance(value, dict):
                title = self._title(name)
                lines.append(name + " : " + described(value, title, 0).lstrip())
            elif isinstance(value, list):
                lines.append("%s : %s" % (name, plain(value)))
            else:
                lines.append("%s : %s" % (name, value))
        return "\n".join(lines)

    __repr__ = __str__

    def _title(self, name):
        if name == "pluginProps":
            return getattr(self, "pluginId", None) or "Data"
        return self._titles.get(name, "Data")

    def _command(self, name, **arguments):
        return _call.command(self._namespace + "." + name, {"id": self.id, **arguments})

    def replaceOnServer(self):
        """Sends the attributes that were set since this copy was taken."""
        changes = {name: self.__dict__.get(name) for name in sorted(self._changed)}
        self._command("replaceOnServer", object=changes)
        self.__dict__["_changed"] = frozenset()

    def refreshFromServer(self, waitUntilServerIdle=False):
        """Renews this copy from the server's object."""
        data = _call.command(self._collection + ".get", {"id": self.id})
        self.__dict__.clear()
        self.__dict__.update(data)


class WithProps:
    """Objects that carry properties of plugins."""

    def replacePluginPropsOnServer(self, props):
        """Replaces all properties of this plugin; ``None`` drops them."""
        self._replace_props("replacePluginPropsOnServer", "pluginProps", props)

    def replaceSharedPropsOnServer(self, props):
        """Replaces the properties that all plugins share."""
        self._replace_props("replaceSharedPropsOnServer", "sharedProps", props)

    def _replace_props(self, command, name, props):
        props = _call.props(props)
        self._command(command, props=props)
        self.__dict__[name] = props


def element(collection, namespace, writable, *bases_fields, **typed):
    """A decorator that gives a class its fields.

    ``bases_fields`` are pairs of name and default; ``typed`` are kinds of fields.
    """

    def decorate(cls):
        cls._collection = collection
        cls._namespace = namespace
        cls._writable = cls._writable | frozenset(writable.split())
        for name, default in bases_fields:
            setattr(cls, name, default)
        for name, kind in typed.items():
            setattr(cls, name, kind(name))
        names = set(cls._fields) | {name for name, _ in bases_fields} | set(typed)
        cls._fields = tuple(sorted(names))
        cls.__module__ = "indigo"
        _call.classes["indigo." + cls.__name__] = cls
        return cls

    return decorate
