"""The API's knowledge of the plugin instance that it serves.

Owns the one binding between the API module and a plugin: before it is made, API
calls change nothing (spec 2.2). Other modules read the globals here and change
them through the functions. It never calls the plugin.
"""

import _cordon_log as log

# Bits of the debug mask (spec section 9).
PYTHON = 2
PLUGIN = 4
DEVICES = 8
CONNECTIONS = 16
IMAGES = 32
MESSAGES = 64
QUEUE = 128

# True between the import of the plugin and the end of its life.
bound = False

# The plugin's module, and the object whose callback runs (for Dump).
plugin = None
target = None

# From the setup record.
key = ""
hardware_id = 0
parameters = {}
settings = {}

# The very dictionaries that the plugin sees as its globals.
devices = {}
images = {}

# The mask that Debugging set.
mask = 0

# The class that Register chose; None stands for the API's own class.
device_class = None
unit_class = None

# Makes a device of the extended framework for a DeviceID; set by its module.
new_device = None


def prepare(setup):
    """Takes the setup that `start` was given; the plugin is not bound yet."""
    global key, hardware_id, parameters, settings
    key = setup["key"]
    hardware_id = setup["hardware_id"]
    # HardwareID is first and the only value that is no text (rules 12 and 14).
    parameters = {"HardwareID": hardware_id}
    for place, (name, value) in enumerate(setup["parameters"]):
        # A later one of this name is a parameter of the plugin's own (rule 181).
        if place or name != "HardwareID":
            parameters[name] = value
    settings = dict(setup["settings"])


def bind(module):
    """Makes the API serve this plugin module."""
    global bound, plugin, target
    plugin = target = module
    bound = True


def unbind():
    """Forgets the plugin, as if none had ever been started."""
    global bound, plugin, target, key, hardware_id, parameters, settings, mask
    bound = False
    plugin = target = None
    key, hardware_id, mask = "", 0, 0
    parameters, settings = {}, {}
    devices.clear()
    images.clear()


def ready(function):
    """Whether API calls have an effect; says so in the log if not (rule 18)."""
    if bound:
        return True
    log.core_error("'" + function + "' is ignored: the plugin has not started yet")
    return False
