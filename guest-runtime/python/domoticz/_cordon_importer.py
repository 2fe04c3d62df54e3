"""The sources of a Domoticz plugin's imports.

Owns one decision: the API module counts as imported only once the plugin imports it
(spec 2.2).
"""

import sys
from importlib.machinery import ModuleSpec

import _cordon_frameworks
from _cordon_loader import PluginFinder

LEGACY = "Domoticz"

# The extended framework; both at once is an error (rule 16).
EXTENDED = "DomoticzEx"

_APIS = (LEGACY, EXTENDED)


class ApiFinder(PluginFinder):
    """Finder and, for the API modules, loader."""

    def __init__(self, apis, folder, modules):
        super().__init__([folder], modules, _APIS)
        self._apis = apis

    def find_spec(self, name, path=None, target=None):
        if path is None and name in self._apis:
            return ModuleSpec(name, self, origin="cordon")
        return super().find_spec(name, path, target)

    def create_module(self, spec):
        return self._apis[spec.name]

    def exec_module(self, module):
        """Nothing to run: the modules are part of the snapshot."""


def install(apis, folder, setup):
    """Prepares imports for the plugin in this folder, which ends with a slash.
    ``apis`` are the API modules by name."""
    for name in _APIS:
        sys.modules.pop(name, None)
    ApiFinder(apis, folder, setup["modules"]).install(setup["packages"])
    _cordon_frameworks.refuse(_cordon_frameworks.DOMOTICZ)


def imported():
    """Which API modules the plugin has imported, directly or through helpers."""
    return [name for name in _APIS if name in sys.modules]
