"""The life of one Domoticz plugin: start, events, end.

Owns the order of a plugin's events and the only places where its code is called.
Whatever the plugin raises ends here, in its log; nothing is ever raised to the hub.
"""

import json
import sys

import _cordon

import _cordon_binding as binding
import _cordon_connection as connections
import _cordon_device
import _cordon_device_ex
import _cordon_image
import _cordon_importer
import _cordon_log as log
import _cordon_message as messages
import _cordon_stdio
import Domoticz
import DomoticzEx
from _cordon_loader import load

# The contract's enum `outcome`.
OK = 0
NOT_DEFINED = 1
RAISED = 2

# The callback whose name the hub gives, and not the kind of an event.
WEB_SOCKET_MESSAGE = "onWebSocketMessage"

# The API modules by name, and the modules that know the devices of each.
_APIS = {_cordon_importer.LEGACY: Domoticz, _cordon_importer.EXTENDED: DomoticzEx}
_DEVICES = {
    _cordon_importer.LEGACY: _cordon_device,
    _cordon_importer.EXTENDED: _cordon_device_ex,
}

# Who knows the devices of the plugin.
_devices = _cordon_device

# The very containers of these modules: looking at them on every event is cheaper
# than a call.
_delayed_sends = connections.delayed_sends
_unfinished_output = _cordon_stdio.unfinished_output
_unfinished_errors = _cordon_stdio.unfinished_errors


def start(setup):
    """Imports the plugin (spec 2.1 and 2.2)."""
    binding.prepare(setup)
    folder = setup["plugin_folder"]
    _cordon_importer.install(_APIS, folder, setup)
    try:
        module = load(folder + "plugin.py", setup["code"])
    except BaseException as failure:
        log.error(
            "(%s) 'plugin.py' could not be imported, the search path was '%s'"
            % (setup["key"], ":".join(sys.path))
        )
        log.traceback(failure)
        return RAISED
    finally:
        _cordon_stdio.drain()
    global _devices
    _devices = _DEVICES.get(_only_api())
    if _devices is None:
        log.error("the plugin is not started: the state of its API module was not found")
        return RAISED
    binding.bind(module)
    log.status("the plugin is initialised" + _origin())
    return OK


def _origin():
    """The definition's own description, as far as it has one (rule 10)."""
    version, author = binding.parameters.get("Version"), binding.parameters.get("Author")
    parts = ["version " + version] if version else []
    if author:
        parts.append("author '" + author + "'")
    return ": " + ", ".join(parts) if parts else ""


def deliver(kind, *args):
    """Delivers one event to its callback."""
    if not binding.bound:
        return NOT_DEFINED
    if binding.mask & binding.QUEUE:
        log.normal("event '%s'" % kind)
    if _delayed_sends:
        connections.forget_sent()
    try:
        return _EVENTS[kind](*args)
    finally:
        if _unfinished_output or _unfinished_errors:
            _cordon_stdio.drain()


def call(name, arguments):
    """Delivers a message of a browser, the one event that comes as a call (rule 196)."""
    if name != WEB_SOCKET_MESSAGE:
        return NOT_DEFINED
    return deliver("web-socket-message", json.loads(arguments)["Data"])


def _only_api():
    """The API module that the plugin imported, directly or through helpers; None
    when there is none, or both."""
    imported = _cordon_importer.imported()
    if len(imported) == 1:
        return imported[0]
    if imported:
        log.core_error("both Domoticz and DomoticzEx were imported: use one or the other")
    else:
        log.core_error("no module Domoticz or DomoticzEx is in the interpreter: import one")
    return None


def _call(target, name, *args):
    """Calls `target.name(*args)` as spec 8.2 and 8.4 say."""
    try:
        callback = getattr(target, name, None)
        if not callable(callback):
            return NOT_DEFINED
        if binding.mask & binding.PLUGIN:
            log.normal("calling '%s'" % name)
        binding.target = target
        callback(*args)
        return OK
    except BaseException as failure:
        log.exception(name, failure)
        if binding.mask & binding.PLUGIN:
            log.attributes(target)
        return RAISED


def _started():
    plugin = binding.plugin
    plugin.Parameters = binding.parameters
    plugin.Devices = binding.devices
    # The very dictionary that the plugin sees: Create and Delete change it.
    _devices.load(_cordon.devices_list(), binding.devices)
    plugin.Images = binding.images
    binding.images.update(_cordon_image.load(_cordon.images_list()))
    plugin.Settings = binding.settings
    return _call(plugin, "onStart")


def _stopping():
    outcome = _call(binding.plugin, "onStop")
    for key in _devices.strangers():
        log.normal("entry %r of Devices is no Device" % (key,))
    return outcome


def _heartbeat():
    return _call(binding.plugin, "onHeartbeat")


def _receiver(connection):
    """Where the events of a connection go (spec 5.5)."""
    target = connection.__Target__
    return binding.plugin if target is None else target


def _connected(number, parent, address, port, status, description):
    if parent is None:
        connection = connections.find(number)
    else:
        connection = connections.accept(number, parent, address, port)
    if connection is None:
        return NOT_DEFINED
    return _call(_receiver(connection), "onConnect", connection, status, description)


def _message(number, data, sender=None):
    connection = connections.find(number)
    if connection is None:
        return NOT_DEFINED
    if sender is not None:
        connection = connections.of_datagram(connection, *sender)
    if binding.mask & (binding.CONNECTIONS | binding.MESSAGES):
        connections.note_traffic(connection, "received", data)
    return _call(_receiver(connection), "onMessage", connection, messages.inbound(data))


def _timed_out(number):
    connection = connections.find(number)
    if connection is None:
        return NOT_DEFINED
    return _call(_receiver(connection), "onTimeout", connection)


def _disconnected(number):
    connection = connections.ended(number)
    if connection is None:
        return NOT_DEFINED
    return _call(_receiver(connection), "onDisconnect", connection)


def _device_event(name, device_id, unit, *args):
    """Calls the first object that takes the event: unit, device, module (spec 8.2)."""
    *overriding, (plugin, position) = _devices.receivers(device_id, unit)
    for target, leading in overriding:
        try:
            callback = getattr(target, name, None)
        except BaseException as failure:
            log.exception(name, failure)
            return RAISED
        if callable(callback):
            return _call(target, name, *leading, *args)
    return _call(plugin, name, *position, *args)


def _command(device_id, unit, command, level, color):
    return _device_event("onCommand", device_id, unit, command, level, color)


def _security(device_id, unit, level, description):
    return _device_event("onSecurityEvent", device_id, unit, level, description)


def _device_added(device_id, unit):
    _devices.added(device_id, unit)
    return _device_event("onDeviceAdded", device_id, unit)


def _device_modified(device_id, unit):
    _devices.modified(device_id, unit)
    return _device_event("onDeviceModified", device_id, unit)


def _device_removed(device_id, unit):
    # Still in Devices while the callback runs (rule 161).
    try:
        return _device_event("onDeviceRemoved", device_id, unit)
    finally:
        _devices.removed(device_id, unit)


def _notification(*args):
    return _call(binding.plugin, "onNotification", *args)


def _web_socket_message(data):
    return _call(binding.plugin, WEB_SOCKET_MESSAGE, data)


def _settings(pairs):
    """A new dictionary takes the place of the old one (rule 20)."""
    binding.settings = binding.plugin.Settings = dict(pairs)
    return OK


_EVENTS = {
    "started": _started,
    "stopping": _stopping,
    "heartbeat": _heartbeat,
    "connected": _connected,
    "message": _message,
    "timed-out": _timed_out,
    "disconnected": _disconnected,
    "command": _command,
    "security": _security,
    "notification": _notification,
    "web-socket-message": _web_socket_message,
    "device-added": _device_added,
    "device-modified": _device_modified,
    "device-removed": _device_removed,
    "settings": _settings,
}
