"""Hides the API modules of the other framework.

Owns the words of the refusal. The modules of both frameworks are part of the snapshot;
an instance belongs to one framework.
"""

import sys

DOMOTICZ = ("a Domoticz plugin", ("indigo",))
INDIGO = ("an Indigo plugin", ("Domoticz", "DomoticzEx"))

_OWNERS = {"indigo": "Indigo", "Domoticz": "Domoticz", "DomoticzEx": "Domoticz"}


class Refusal:
    """A finder that says why a module is not there."""

    def __init__(self, plugin, names):
        self._plugin = plugin
        self._names = names

    def find_spec(self, name, path=None, target=None):
        if path is None and name in self._names:
            raise ModuleNotFoundError(
                "No module named '%s': it is the module of %s plugins, and this is %s"
                % (name, _OWNERS[name], self._plugin),
                name=name,
            )
        return None


def refuse(framework):
    """Puts the other framework's modules out of reach of a plugin of this one.

    Called when the plugin's own finder leads: a file of its own may have such a name.
    """
    plugin, names = framework
    for name in names:
        sys.modules.pop(name, None)
    sys.meta_path.insert(1, Refusal(plugin, names))
