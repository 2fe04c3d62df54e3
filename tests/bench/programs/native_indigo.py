"""The work of an Indigo plugin's native process: imports, the plugin's object, its startup, waiting.

Arguments: the modules to import, joined by commas, and the folder of `plugin.py`.
Writes `up` when `startup` has returned; ends when its input ends.
"""

import builtins
import importlib
import sys
import types

for name in sys.argv[1].split(","):
    importlib.import_module(name)


class PluginBase:
    """Stands for the base class, which does nothing here."""

    def __init__(self, plugin_id, plugin_display_name, plugin_version, plugin_prefs):
        self.pluginId = plugin_id
        self.pluginDisplayName = plugin_display_name
        self.pluginVersion = plugin_version
        self.pluginPrefs = plugin_prefs


builtins.indigo = sys.modules["indigo"] = types.ModuleType("indigo")
indigo.PluginBase = PluginBase
sys.path.insert(0, sys.argv[2])
plugin = importlib.import_module("plugin").Plugin("org.example.native", "Native", "1.0.0", {})
plugin.startup()
print("up", flush=True)
sys.stdin.read()
