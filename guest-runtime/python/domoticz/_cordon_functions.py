"""The functions that both API modules have.

Owns the functions of behaviour spec section 9, but for ``Register``. None raises for
the arguments of a plugin, except for keywords that the original does not take.
"""

import sys as _sys

import _cordon as _hub

import _cordon_arguments as _arguments
import _cordon_binding as _binding
import _cordon_json as _json
import _cordon_log as _log

# Groups in the order in which Debugging names them (spec section 9).
_GROUPS = (
    (_binding.PYTHON, "PYTHON "),
    (_binding.PLUGIN, "PLUGIN "),
    (_binding.QUEUE, "QUEUE "),
    (_binding.IMAGES, "IMAGE "),
    (_binding.DEVICES, "DEVICE "),
    (_binding.CONNECTIONS, "CONNECTION "),
    (_binding.MESSAGES, "MESSAGE "),
)

# The mask that Debugging(1) stands for.
_ALL_GROUPS = 65535


def Log(*args):
    """Writes its one argument at normal level."""
    _say("Log", _log.NORMAL, args)


def Status(*args):
    """Writes its one argument at status level."""
    _say("Status", _log.STATUS, args)


def Error(*args):
    """Writes its one argument at error level."""
    _say("Error", _log.ERROR, args)


def Debug(*args):
    """As Log, if the mask has the plugin's group; else nothing is looked at."""
    if not _binding.bound:
        _binding.ready("Debug")
    elif _binding.mask & _binding.PYTHON:
        _say("Debug", _log.NORMAL, args)


def _say(function, level, args):
    if not _binding.bound:
        _binding.ready(function)
    elif len(args) != 1:
        _log.error("Expected %s(message): %d arguments were given" % (function, len(args)))
    elif isinstance(args[0], str):
        _hub.log(level, _log.HARDWARE, args[0])
    else:
        try:
            text = str(args[0])
        except Exception as failure:
            _log.exception(function, failure)
        else:
            _hub.log(level, _log.HARDWARE, text)


def Debugging(*args):
    """Sets the debug mask and says which groups it holds."""
    if not _binding.ready("Debugging"):
        return
    try:
        (level,) = args
        mask = _arguments.number(level)
    except Exception as failure:
        _log.refused_arguments("Debugging", "Expected Debugging(Mask)", failure)
        return
    if mask == 1:
        mask = _ALL_GROUPS
    _binding.mask = mask
    names = "".join(name for bit, name in _GROUPS if mask & bit) or "NONE"
    if mask == _ALL_GROUPS:
        names += "ALL"
    _log.normal("debug groups that are on: " + names)


def Heartbeat(*args):
    """The heartbeat interval in seconds, or queues a change of it."""
    if not _binding.ready("Heartbeat"):
        return 0
    if not args:
        return _hub.heartbeat()
    try:
        (interval,) = args
        interval = _arguments.number(interval)
    except Exception as failure:
        _log.refused_arguments("Heartbeat", "Expected Heartbeat(Interval)", failure)
        return _hub.heartbeat()
    # Zero and less are returned and change nothing (rule 152).
    if interval > 0:
        _hub.set_heartbeat(interval)
    return interval


def Notifier(*args):
    """Makes the plugin a target of notifications under this name (rule 169)."""
    if not _binding.ready("Notifier"):
        return
    try:
        (name,) = args
        name = _arguments.text(name, "Name")
    except Exception as failure:
        _log.refused_arguments("Notifier", "Expected Notifier(Name)", failure)
        return
    if not name or " " in name:
        _log.error("Notifier: the name must not be empty nor hold a space, it is '%s'" % name)
        return
    _hub.notifier_register(name)


def Trace(*args):
    """Was removed from the original; says so."""
    if _binding.ready("Trace"):
        _log.error("Trace was removed and does nothing: use Debugging")


def Configuration(*args, **kwargs):
    """Reads the plugin's stored document, or stores one and reads it back (spec 9.1)."""
    Config = _configuration(*args, **kwargs)
    if not _binding.ready("Configuration"):
        return None
    if Config is not _arguments.ABSENT:
        if not isinstance(Config, dict):
            _log.error("Configuration takes a dictionary, not %s" % type(Config).__name__)
            return None
        try:
            text = _json.configuration_text(Config)
        except Exception as failure:
            _log.error("the configuration is not stored: %s" % failure)
            return None
        refusal = _hub.configuration_store(text)
        if refusal is not None:
            _log.error("the configuration is not stored: %s" % _REFUSALS.get(refusal, refusal))
            return None
    try:
        return _json.parse_configuration(_hub.configuration_load() or "{}")
    except ValueError as failure:
        _log.core_error("the stored configuration cannot be read: %s" % failure)
        return None


@_arguments.any_case
def _configuration(Config=_arguments.ABSENT):
    return Config


# The words of the log for each `store-error` of the contract.
_REFUSALS = {
    "too-large": "it is over the limit 'stored-bytes'",
    "unavailable": "the hub could not write it, its own log has the reason",
}


@_arguments.any_case
def _object(Object=None):
    return Object


def Dump(*args, **kwargs):
    """Lists the data of the running callback's object, its caller and its module. The
    original takes an object too, and makes nothing of it."""
    _object(*args, **kwargs)
    if not _binding.ready("Dump"):
        return
    frame = _sys._getframe(1)
    _log.normal("Context dump:")
    _log.attributes(_binding.target)
    _log.normal("Locals dump:")
    for name, value in list(frame.f_locals.items()):
        _log.normal(_log.attribute_line(name, _shown(value)))
    _log.normal("Globals dump:")
    for name, value in list(frame.f_globals.items()):
        if not name.startswith("__") and not callable(value):
            _log.normal(_log.attribute_line(name, _shown(value)))


def _shown(value):
    try:
        return str(value)
    except Exception:
        return object.__repr__(value)
