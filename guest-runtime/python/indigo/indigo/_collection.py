"""``indigo.devices`` and its kin: the server's objects by id or name.

Owns the ways to look objects up and to go through them. Nothing is kept here: every
look asks the server and gives copies.
"""

from indigo import _call
from indigo._command import FolderCommands

# Objects asked for at once while going through a collection: few calls, and no reply
# near the limit on the bytes of a call.
_CHUNK = 50

# Stands for a default that was not given.
_NONE = object()


class Collection:
    """Objects of one kind; iterating gives the objects, not their ids."""

    def __init__(self, name):
        self._name = name

    def _ask(self, what, **arguments):
        return _call.command(self._name + "." + what, arguments)

    def _made(self, data):
        return _call.decoded(data)

    def __getitem__(self, key):
        return self._made(self._ask("get", id=_call.reference(key)))

    def __setitem__(self, key, value):
        raise TypeError(
            "indigo.%s cannot be assigned to: create, change and delete objects"
            " with commands" % self._name
        )

    def __delitem__(self, key):
        raise TypeError("indigo.%s has no del: use the command delete" % self._name)

    def __contains__(self, key):
        try:
            key = _call.reference(key)
        except TypeError:
            return False
        return bool(self._ask("contains", id=key))

    def __iter__(self):
        return self.iter()

    def __len__(self):
        return len(self.keys())

    def __bool__(self):
        return True

    def iter(self, filter=None):
        """Goes through the objects that a filter such as ``self`` leaves.

        The set is fixed here; objects deleted meanwhile are left out.
        """
        return self._through(self.keys(filter))

    itervalues = iter

    def _through(self, ids):
        for start in range(0, len(ids), _CHUNK):
            for data in self._ask("objects", ids=ids[start : start + _CHUNK]):
                yield self._made(data)

    def keys(self, filter=None):
        """The ids, in the server's order."""
        return list(self._ask("list", filter=filter or None))

    def iterkeys(self, filter=None):
        return iter(self.keys(filter))

    # As a sample of the manual writes it.
    iterkey = iterkeys

    def values(self, filter=None):
        return list(self.iter(filter))

    def items(self, filter=None):
        return [(element.id, element) for element in self.iter(filter)]

    def iteritems(self, filter=None):
        return iter(self.items(filter))

    def len(self, filter=None):
        return len(self.keys(filter))

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default

    def getName(self, elem):
        """The name for an id, without fetching the object; empty if there is none."""
        return self._ask("getName", id=_call.reference(elem))

    def getId(self, elem):
        """The id for a name, without fetching the object; 0 if there is none."""
        return self._ask("getId", id=_call.reference(elem))

    def __str__(self):
        return "indigo." + self._name

    __repr__ = __str__


class Folders(Collection):
    """The folders of one kind of objects."""

    def __init__(self, owner):
        Collection.__init__(self, owner + ".folders")
        self._owner = owner

    def _made(self, data):
        folder = _call.classes["indigo.Folder"]._from(data)
        folder.__dict__["_of"] = self._owner
        return folder


class Elements(Collection):
    """Objects that lie in folders and whose changes can be followed."""

    def __init__(self, name):
        Collection.__init__(self, name)
        self.folders = Folders(name)
        self.folder = FolderCommands(name, self.folders)

    def subscribeToChanges(self):
        """Has the plugin told of every change of every object of this kind."""
        self._ask("subscribeToChanges")


devices = Elements("devices")
variables = Elements("variables")
triggers = Elements("triggers")
schedules = Elements("schedules")
actionGroups = Elements("actionGroups")
controlPages = Elements("controlPages")
