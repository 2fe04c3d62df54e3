"""The functions that the hub calls, which are those of the instance's framework.

``deliver`` and ``call`` are the framework's very own, not functions that lead there:
they are on the path of every callback.
"""

import importlib
import sys

import _cordon_domoticz
import _cordon_restore

deliver = _cordon_domoticz.deliver
call = _cordon_domoticz.call


def start(setup):
    """Prepares the framework and imports the plugin."""
    global deliver, call
    _cordon_restore.restore(setup)
    framework = _framework(setup)
    deliver, call = framework.deliver, framework.call
    return framework.start(setup)


def _framework(setup):
    """The module of the framework; one that is no part of the runtime is in the
    plugin's folder."""
    name = setup["framework"]
    if name == "domoticz":
        return _cordon_domoticz
    if name == "indigo":
        return importlib.import_module("_cordon_indigo")
    sys.path.insert(0, setup["plugin_folder"])
    return importlib.import_module("cordon_framework_" + name)
