"""The announcements of a plugin: notifications to people, and messages to browsers.

Owns ``SendNotification`` and ``WebSocketSend``, which both API modules have. Neither
raises for the arguments of a plugin, and both return None.
"""

import json as _json

import _cordon as _hub

import _cordon_binding as _binding
import _cordon_log as _log
from _cordon_arguments import any_case as _any_case
from _cordon_arguments import number as _number
from _cordon_arguments import text as _text

_NOTIFICATION_HINT = (
    "Expected SendNotification(Subject, Body='', Priority=0, Sound='', ExtraData='',"
    " SubSystem='', Delay=0), names in any case"
)
_MESSAGE_HINT = "Expected WebSocketSend(Data), where Data is a str or a dict"


def SendNotification(*args, **kwargs):
    """Has the hub notify people, after a delay in seconds if one is given (rule 192)."""
    if not _binding.ready("SendNotification"):
        return
    try:
        notification = _notification(*args, **kwargs)
    except Exception as failure:
        _log.refused_arguments("SendNotification", _NOTIFICATION_HINT, failure)
        return
    if notification["Delay"] < 0:
        _log.error("SendNotification: Delay is negative and taken for 0")
        notification["Delay"] = 0
    _give("sendNotification", _json.dumps(notification))


def WebSocketSend(*args, **kwargs):
    """Sends a text or a dictionary to the browsers that follow the plugin (rule 194)."""
    if not _binding.ready("WebSocketSend"):
        return
    try:
        message = _json.dumps(_message(*args, **kwargs), default=str, allow_nan=False)
    except Exception as failure:
        _log.refused_arguments("WebSocketSend", _MESSAGE_HINT, failure)
        return
    _give("webSocketSend", message)


@_any_case
def _notification(Subject, Body="", Priority=0, Sound="", ExtraData="", SubSystem="", Delay=0):
    if not _text(Subject, "Subject"):
        raise ValueError("Subject is empty")
    return {
        "Subject": _text(Subject, "Subject"),
        "Body": _text(Body, "Body") or _text(Subject, "Subject"),
        "Priority": _number(Priority),
        "Sound": _text(Sound, "Sound"),
        "ExtraData": _text(ExtraData, "ExtraData"),
        "SubSystem": _text(SubSystem, "SubSystem"),
        "Delay": _number(Delay),
    }


@_any_case
def _message(Data):
    if isinstance(Data, (str, dict)):
        return Data
    raise TypeError("Data must be str or dict, not " + type(Data).__name__)


def _give(name, arguments):
    """Has the hub carry out a command of the contract's interface ``commands``."""
    refusal, reply = _hub.call(name, arguments)
    if refusal is not None:
        _log.error("%s%s: %s" % (name[0].upper(), name[1:], reply))
    elif reply:
        _log.normal(reply)
