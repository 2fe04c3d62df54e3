"""The one plugin of this interpreter, for modules that need to ask it.

Owns the reference and the hub's facts about the plugin. Both are empty in the snapshot.
"""

# The plugin's object, once it exists; ``indigo.activePlugin`` reads it.
active = None

# The facts from the hub; names as in the contract's parameters.
facts = {}

# The definitions in the plugin's XML files, once somebody asked.
_definitions = None


def definitions():
    """The definitions in the plugin's XML files; asks the server once."""
    global _definitions
    if _definitions is None:
        from indigo import _call

        _definitions = _call.command("server.pluginDefinitions", {})
    return _definitions


def state_definitions(device):
    """The plugin's own description of a device's states, as arguments of a command."""
    from indigo import _lookup

    arguments = {}
    if active is None:
        return arguments
    method = _lookup.overridden(active, "getDeviceStateList")
    if method is not None:
        states = method(device)
        arguments["stateList"] = None if states is None else list(states)
    method = _lookup.overridden(active, "getDeviceDisplayStateId")
    if method is not None:
        arguments["displayStateId"] = method(device)
    return arguments
