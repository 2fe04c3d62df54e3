"""``indigo.rawServerRequest``: the server's own form of its objects, as far as there is one.

Owns the answers to the requests that published plugins make. Attributes have the names
that those plugins read; no document describes the others.
"""

from indigo import _collection, _errors
from indigo._server import server

_DEVICES = ("Device", _collection.devices)
_VARIABLES = ("Variable", _collection.variables)
_PAGES = ("ControlPage", _collection.controlPages)

# Objects whose raw form is made of their steps, which the server shows to nobody.
_STEPS = {
    "ActionGroup": "indigo.actionGroups",
    "Trigger": "indigo.triggers",
    "Schedule": "indigo.schedules",
}


def rawServerRequest(name, args=None):
    """The objects of ``Get...List``, or the one of ``Get...`` with the argument ``ID``.

    Raises `NotImplementedError` for every other request.
    """
    for noun, collection in (_DEVICES, _VARIABLES, _PAGES):
        if name == "Get%sList" % noun:
            titles = {}
            return [_raw(element, titles) for element in collection]
        if name == "Get" + noun:
            return _raw(collection[(args or {})["ID"]], {})
    for noun, instead in _STEPS.items():
        if name in ("Get" + noun, "Get%sList" % noun):
            raise _errors.absent(
                "rawServerRequest(%r)" % name,
                "it would show the steps, which this server keeps to itself; names and"
                " settings are in " + instead,
            )
    raise _errors.absent(
        "rawServerRequest(%.100r)" % (name,),
        "this server answers GetDevice, GetVariable and GetControlPage, and each with List;"
        " use the collections and commands of the module",
    )


def _raw(element, titles):
    """The dictionary of one object; ``titles`` are those of plugins that are known."""
    raw = {
        "ID": element.id,
        "Name": element.name,
        "Description": element.description,
        "FolderID": element.folderId,
        "RemoteDisplay": element.remoteDisplay,
    }
    kind = type(element).__name__
    if kind == "Variable":
        raw["Value"] = element.value
    elif kind == "ControlPage":
        # A control page is a record without controls here.
        raw["PageElemList"] = []
    else:
        raw["Class"] = "indigo." + kind
        raw["TypeID"] = element.deviceTypeId
        raw["Enabled"] = element.enabled
        if element.pluginId:
            raw["PluginID"] = element.pluginId
            raw["PluginUiName"] = _title(element.pluginId, titles)
    return raw


def _title(plugin, titles):
    if plugin not in titles:
        titles[plugin] = server.getPlugin(plugin).pluginDisplayName
    return titles[plugin]
