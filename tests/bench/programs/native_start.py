"""The work of a native plugin process: imports, the plugin, an empty onStart, waiting.

Arguments: the modules to import, joined by commas, and the folder of the plugin.
Writes `up` when onStart has returned; ends when its input ends.
"""

import importlib
import sys
import types

for name in sys.argv[1].split(","):
    importlib.import_module(name)


class Api(types.ModuleType):
    """Stands for module Domoticz: every function is there and does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


sys.modules["Domoticz"] = Api("Domoticz")
sys.path.insert(0, sys.argv[2])
plugin = importlib.import_module("plugin")
plugin.Parameters = {"HardwareID": 1, "Mode1": ""}
plugin.Devices = {}
plugin.onStart()
print("up", flush=True)
sys.stdin.read()
