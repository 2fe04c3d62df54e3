"""Starts a plugin a few times before the snapshot is taken.

The interpreter does some work once per code object, type or string (specialising
bytecode, filling method caches, hashing). That work writes to memory that all instances
share until it is written to. Done here, the work is in the snapshot and costs an
instance neither time nor pages. The module owns the plugin that is rehearsed with and
the undoing of every trace of it. The hub is never asked, because there is none yet.
"""

import marshal
import sys

import _cordon
import _cordon_binding
import _cordon_log
import _cordon_runtime

# Rounds until the interpreter has specialised all the bytecode that it wants to.
ROUNDS = 16

FOLDER = "/plugin/"

PLUGIN = '''"""
<plugin key="Rehearsal" name="Rehearsal" version="1.0" author="Cordon">
</plugin>
"""
import Domoticz


class Plugin:
    enabled = False

    def __init__(self):
        self.beats = 0

    def onStart(self):
        if Parameters["Mode6"] == "Debug":
            Domoticz.Debugging(1)
        Domoticz.Log("started with " + str(len(Devices)) + " devices")
        for name in Parameters:
            if Parameters[name] != "":
                Domoticz.Debug("'" + name + "':'" + str(Parameters[name]) + "'")
        Domoticz.Heartbeat(10)

    def onHeartbeat(self):
        self.beats += 1


_plugin = Plugin()


def onStart():
    _plugin.onStart()


def onStop():
    pass


def onHeartbeat():
    _plugin.onHeartbeat()
'''

SETUP = {
    "framework": "domoticz",
    "name": "Rehearsal",
    "key": "Rehearsal",
    "hardware_id": 1,
    "plugin_folder": FOLDER,
    "data_folder": "/data/",
    "parameters": [
        ("HardwareID", "1"),
        ("Name", "Rehearsal"),
        ("Mode6", "Normal"),
        ("Version", "1.0"),
        ("Author", "Cordon"),
    ],
    "settings": [("Language", "en")],
    "environment": [],
    "utc_offset": 0,
    "time_zone": "",
    "modules": ["plugin"],
    "packages": False,
}

# The functions of the hub that a start asks, and their answers here.
_ANSWERS = {
    "log": lambda level, origin, text: None,
    "devices_list": lambda: [],
    "images_list": lambda: [],
    "heartbeat": lambda: 10,
    "set_heartbeat": lambda seconds: None,
    "code_closed": lambda: None,
}


def rehearse():
    """Starts the plugin `ROUNDS` times and leaves nothing of it."""
    code = marshal.dumps(compile(PLUGIN, FOLDER + "plugin.py", "exec", dont_inherit=True))
    asked = {name: getattr(_cordon, name, None) for name in _ANSWERS}
    for name, answer in _ANSWERS.items():
        setattr(_cordon, name, answer)
    write, _cordon_log._write = _cordon_log._write, _ANSWERS["log"]
    path, finders = list(sys.path), list(sys.meta_path)
    try:
        for _ in range(ROUNDS):
            _once(dict(SETUP, code=code))
            sys.path[:] = path
            sys.meta_path[:] = finders
    finally:
        _cordon_log._write = write
        for name, function in asked.items():
            setattr(_cordon, name, function)


def _once(setup):
    outcomes = [_cordon_runtime.start(setup)]
    for event in ("started", "heartbeat", "heartbeat", "stopping"):
        outcomes.append(_cordon_runtime.deliver(event))
    if any(outcomes):
        raise RuntimeError("the rehearsal failed: %r" % (outcomes,))
    _cordon_binding.unbind()
    sys.modules.pop("plugin", None)
    for name in ("Domoticz", "DomoticzEx"):
        sys.modules.pop(name, None)
