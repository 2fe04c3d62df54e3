"""Variables, action groups, control pages and folders: the copies that plugins get.

Owns their classes and attributes, and the reading of a variable's text as another type.
"""

from indigo import _call
from indigo._element import BaseElem, WithProps, dictionary, element

# The words of triggers and conditions; module utils knows more.
_TRUE = frozenset(("true", "on", "yes", "1"))
_FALSE = frozenset(("false", "off", "no", "0"))


@element(
    "variables",
    "variable",
    "name value description remoteDisplay",
    ("id", 0),
    ("name", ""),
    ("value", ""),
    ("description", ""),
    ("readOnly", False),
    ("folderId", 0),
    ("remoteDisplay", True),
    pluginProps=dictionary,
    globalProps=dictionary,
    sharedProps=dictionary,
)
class Variable(WithProps, BaseElem):
    """A named text."""

    def __setattr__(self, name, value):
        if name == "name" and any(map(str.isspace, str(value))):
            raise ValueError("%r is no name of a variable: it has white space in it" % (value,))
        super().__setattr__(name, value)

    def getValue(self, type=str, default=None):
        """The value as this type, or the default where it is none; never raises."""
        if type is bool:
            return self._as_bool(False if default is None else default)
        try:
            if type is int:
                return round(float(self.value))
            if type is float:
                return float(self.value)
        except (ValueError, OverflowError):
            return type() if default is None else default
        return self.value

    def _as_bool(self, default):
        word = str(self.value).strip().lower()
        if word in _TRUE:
            return True
        return False if word in _FALSE else default


@element(
    "actionGroups",
    "actionGroup",
    "name description remoteDisplay",
    ("id", 0),
    ("name", ""),
    ("description", ""),
    ("folderId", 0),
    ("remoteDisplay", True),
    pluginProps=dictionary,
    globalProps=dictionary,
    sharedProps=dictionary,
)
class ActionGroup(WithProps, BaseElem):
    """Actions that are executed together."""


@element(
    "controlPages",
    "controlPage",
    "name description remoteDisplay hideTabBar",
    ("id", 0),
    ("name", ""),
    ("description", ""),
    ("folderId", 0),
    ("remoteDisplay", True),
    ("hideTabBar", False),
    ("backgroundImage", ""),
    ("backgroundColor", ""),
    ("width", 0),
    ("height", 0),
    pluginProps=dictionary,
    globalProps=dictionary,
    sharedProps=dictionary,
)
class ControlPage(WithProps, BaseElem):
    """A page of the user interface."""


@element(
    "devices.folders",
    "devices.folder",
    "name description remoteDisplay",
    ("id", 0),
    ("name", ""),
    ("description", ""),
    ("remoteDisplay", True),
)
class Folder(BaseElem):
    """A folder of one kind of objects."""

    # The kind of the folder, which the collection sets that it came out of.
    _of = "devices"

    def _command(self, name, **arguments):
        return _call.command("%s.folder.%s" % (self._of, name), {"id": self.id, **arguments})

    def refreshFromServer(self, waitUntilServerIdle=False):
        kind = self._of
        data = _call.command(kind + ".folders.get", {"id": self.id})
        self.__dict__.clear()
        self.__dict__.update(data, _of=kind)


__all__ = ["ActionGroup", "ControlPage", "Folder", "Variable"]
