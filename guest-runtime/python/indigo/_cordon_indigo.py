"""The life of one Indigo plugin: start, callbacks, end.

Owns the order of a plugin's callbacks and the only places where its code is called.
Whatever the plugin raises ends here, in its log and in the answer to whoever called;
nothing is ever raised to the hub.
"""

import builtins
import json
import os
import platform
import sys

import _cordon

import _cordon_indigo_arguments as _arguments
import _cordon_indigo_import as _import
import _cordon_indigo_left as _left
import _cordon_indigo_thread as _thread
import _cordon_stdio
import _cordon_traceback
import indigo
from _cordon_loader import load
from indigo import _call, _callbacks, _completion, _log, _lookup, _plugin, _prefs

# The contract's enum `outcome`.
OK = 0
NOT_DEFINED = 1
RAISED = 2

# Module ``indigo`` and its parts: not importable before an Indigo plugin starts.
_modules = {
    name: module for name, module in sys.modules.items() if name.partition(".")[0] == "indigo"
}

_ERROR = 40

# The least version of macOS that a server with API version 3.8 runs on.
_MAC = "12.0"

# Callbacks that run even where the plugin does not define them.
_BASE_ACTS = frozenset(
    (
        "deviceCreated",
        "deviceUpdated",
        "deviceDeleted",
        "triggerCreated",
        "triggerUpdated",
        "triggerDeleted",
        "prepareToSleep",
        "wakeUp",
    )
)

# The words for a plugin that does not start and does not say why.
_NO_START = "the plugin's startup() said that it does not start"


def hide():
    """Takes module ``indigo`` out of reach, for instances that are no Indigo plugin.

    Called before the snapshot. The module leaves the loaded modules and the bundle,
    where it is needed no more.
    """
    for name in _modules:
        sys.modules.pop(name, None)
    for finder in sys.meta_path:
        compiled = getattr(getattr(finder, "find_spec", None), "__globals__", {}).get("compiled")
        for name in _modules if isinstance(compiled, dict) else ():
            compiled.pop(name, None)


def start(setup):
    """Imports the plugin and makes its object."""
    sys.modules.update(_modules)
    builtins.indigo = indigo
    _remember(setup)
    # Plugins look whether their Mac is new enough.
    platform.mac_ver = _mac_version
    _log.install()
    _prefs.begin(_plugin.facts["pluginPrefs"])
    folder = _plugin.facts["serverPluginFolder"]
    bundle = _plugin.facts["pluginFolder"].rstrip("/").rpartition("/")[2]
    _import.install(folder, _plugin.facts.get("packagesFolder", ""), setup, bundle)
    try:
        _make_folders()
        # Relative paths of plugins begin there.
        os.chdir(folder)
        module = load(folder.rstrip("/") + "/plugin.py", setup["code"])
        kind = getattr(module, "Plugin", None)
        if not isinstance(kind, type) or not issubclass(kind, indigo.PluginBase):
            raise TypeError("plugin.py has no class Plugin that is derived from indigo.PluginBase")
        _plugin.active = _made(kind)
    except BaseException as failure:
        _plugin.active = None
        _report("the plugin could not be started", failure)
        hint = _import.hint(failure)
        if hint:
            _log.note(hint, _ERROR)
        return RAISED
    finally:
        _cordon_stdio.drain()
    return OK


def _mac_version(release="", versioninfo=("", "", ""), machine=""):
    """``platform.mac_ver``: the Mac that the version of the API asks for."""
    return (_MAC, ("", "", ""), "arm64")


def _remember(setup):
    """Keeps the hub's facts about the plugin, for the modules that ask."""
    facts = _plugin.facts
    facts.clear()
    facts.update(setup["parameters"])
    folder = setup["plugin_folder"]
    facts["pluginId"] = setup["key"]
    facts["pluginDisplayName"] = setup["name"]
    facts.setdefault("serverPluginFolder", folder + "Contents/Server Plugin")
    facts.setdefault("pluginFolder", folder.rstrip("/"))
    facts.setdefault("logFolder", setup["data_folder"] + "Logs")
    prefs = facts.get("pluginPrefs")
    # As they came: an old file may have keys that a plugin may no longer set.
    facts["pluginPrefs"] = _prefs.Preferences._over(json.loads(prefs) if prefs else {})
    _callbacks.forget_held_back()
    _plugin.active = None
    _plugin._definitions = None


def _make_folders():
    """The folders of a server's installation in which plugins put files."""
    for name in ("preferencesFolder", "logFolder"):
        if _plugin.facts.get(name):
            os.makedirs(_plugin.facts[name], exist_ok=True)


def _made(kind):
    """The plugin's object: its constructor takes four arguments, or the last only."""
    facts = _plugin.facts
    arguments = (
        facts["pluginId"],
        facts["pluginDisplayName"],
        facts.get("pluginVersion", ""),
        facts["pluginPrefs"],
    )
    positions = _lookup._positions(kind.__init__)
    if positions is not None:
        # Without `self`, which an unbound function counts.
        positions -= 1
        if positions == 1:
            return kind(arguments[-1])
        arguments = arguments[:positions]
    return kind(*arguments)


def deliver(kind, *arguments):
    """The events of Domoticz do not reach Indigo plugins, but for the last."""
    return call("stop", "{}") if kind == "stopping" else NOT_DEFINED


def call(name, arguments):
    """Calls a function of the plugin; hands its result over before it returns."""
    if _plugin.active is None:
        return NOT_DEFINED
    given = json.loads(arguments) if arguments else {}
    try:
        own = _OWN.get(name)
        if own is not None:
            return own(given)
        if name.startswith("plugin."):
            return _named(name[len("plugin.") :], given)
        return _callback(name, given)
    except BaseException as failure:
        _completion.forget()
        return _raised(name, failure)
    finally:
        _save_changes()
        _cordon_stdio.drain()


def _reply(result):
    _cordon.reply(_call.text(result))
    return OK


def _raised(name, failure):
    text = _report("'%s' raised an exception" % name, failure)
    _cordon.reply(
        _call.text(
            {
                "type": type(failure).__name__,
                "message": _message(failure),
                "traceback": text,
            }
        )
    )
    return RAISED


def _message(failure):
    try:
        return str(failure)
    except Exception:
        return ""


def _report(headline, failure):
    """Logs an exception; returns its traceback."""
    text = "\n".join(_cordon_traceback.lines(failure))
    _log.note(headline + ":\n" + text, _ERROR)
    return text


def _save_changes():
    try:
        _prefs.look()
    except Exception as failure:
        _log.note("the preferences could not be saved: %s" % failure, _ERROR)


def _callback(name, given):
    """A callback with a name of the documents."""
    plugin = _plugin.active
    method = _lookup.overridden(plugin, name)
    if method is None:
        if name not in _BASE_ACTS:
            return NOT_DEFINED
        method = getattr(plugin, name)
    arguments = _arguments.of_callback(name, given)
    if name in ("deviceCreated", "deviceUpdated"):
        _define_states(plugin, *arguments)
    result = method(*_lookup.fitting(method, arguments))
    return _reply(result)


def _define_states(plugin, *devices):
    """Tells the server the states of a device whose list the plugin makes itself."""
    device = devices[-1]
    if device.pluginId != plugin.pluginId:
        return
    if (
        len(devices) == 2
        and device.deviceTypeId == devices[0].deviceTypeId
        and device.__dict__.get("pluginProps") == devices[0].__dict__.get("pluginProps")
    ):
        return
    if (
        _lookup.overridden(plugin, "getDeviceStateList") is None
        and _lookup.overridden(plugin, "getDeviceDisplayStateId") is None
    ):
        return
    try:
        device.stateListOrDisplayStateIdChanged()
    except Exception as failure:
        _report("the list of states of device %d could not be made" % device.id, failure)


def _named(name, given):
    """A function whose name is in one of the plugin's XML files."""
    method = _lookup.named(_plugin.active, name)
    if method is None:
        return NOT_DEFINED
    arguments = _arguments.of_named(given)
    result = method(*_lookup.fitting(method, arguments))
    result = _completion.settled(result)
    return _reply(_call.page(result) if given.get("kind") == "http" else result)


def _startup(given):
    """The plugin's startup; the answer says whether it starts."""
    plugin = _plugin.active
    method = _lookup.callback(plugin, "startup")
    result = method()
    plugin.pluginIsInitializing = False
    if result is None or result is True:
        return _reply({"ok": True, "message": None})
    return _reply({"ok": False, "message": result if isinstance(result, str) else _NO_START})


def _start_thread(given):
    method = _lookup.overridden(_plugin.active, "runConcurrentThread")
    if method is None:
        return NOT_DEFINED
    _thread.start(_plugin.active, method)
    return _reply(None)


def _stop_thread(given):
    """Asks the plugin to end its threads and waits for the one that it was given."""
    plugin = _plugin.active
    plugin.pluginIsShuttingDown = True
    outcome = OK
    try:
        _lookup.callback(plugin, "stopConcurrentThread")()
    except BaseException as failure:
        outcome = _raised("stopConcurrentThread", failure)
    # The plugin's own version may have other ways to end its own threads.
    plugin._stop_event.set()
    if not _thread.wait(float(given.get("grace") or _thread.GRACE)):
        _log.note("runConcurrentThread does not end although it was asked to", _ERROR)
    return outcome if outcome != OK else _reply(None)


def _shutdown(given):
    """The last call: the plugin's shutdown, then the data that has to be on disk."""
    plugin = _plugin.active
    outcome = OK
    try:
        _lookup.callback(plugin, "shutdown")()
    except BaseException as failure:
        outcome = _raised("shutdown", failure)
    try:
        _prefs.save_changes()
    except Exception as failure:
        _log.note("the preferences could not be saved: %s" % failure, _ERROR)
    try:
        plugin.__del__()
    except BaseException as failure:
        outcome = _raised("__del__", failure)
    plugin.plugin_file_handler.close()
    return outcome if outcome != OK else _reply(None)


def _threads_left(given):
    """The threads that are left; the hub asks after the shutdown until there are none."""
    return _reply(_left.names())


def _stop(given):
    first = _stop_thread(given)
    last = _shutdown(given)
    return first if first != OK else last


def _restart_held_back(given):
    """Restarts a device or trigger that was changed too often to be restarted each time."""
    _callbacks.restart_held_back(_plugin.active, given.get("id"))
    return _reply(None)


def _flush_preferences(given):
    """Does nothing itself: after every call preferences that changed are written."""
    return _reply(None)


def _merge_preferences(given):
    """Takes over the values with which a dialog of preferences was closed."""
    _prefs.merge(given.get("valuesDict") or {})
    _prefs.save_changes()
    return _reply(_prefs.current())


_OWN = {
    "startup": _startup,
    "startConcurrentThread": _start_thread,
    "stopConcurrentThread": _stop_thread,
    "shutdown": _shutdown,
    "threadsLeft": _threads_left,
    "stop": _stop,
    "restartHeldBack": _restart_held_back,
    "flushPluginPrefs": _flush_preferences,
    "mergePluginPrefs": _merge_preferences,
}
