"""Dictionaries of WebSocket (spec 7.7) between the plugin's form and the hub's."""

import _cordon_http
import _cordon_log as log
from _cordon_unsendable import Unsendable

# The headers that a request for a WebSocket gets when the plugin did not give them. The
# quote in Accept-Language is the original's.
_REQUEST_HEADERS = {
    "Accept": "*/*",
    "Accept-Language": "en-US,en;q=0.9'",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Extensions": "permessage-deflate",
    "Upgrade": "websocket",
    "User-Agent": "Domoticz/1.0",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache",
}

_OPERATIONS = {"Ping": "ping", "Pong": "pong", "Close": "close"}


def outbound(message):
    """The hub's form of a frame or, with a URL, of the request before all frames."""
    if type(message) is not dict:
        raise Unsendable("WebSocket takes a dictionary, not %s" % type(message).__name__)
    if "URL" in message:
        return _request(message)
    return _frame(message)


def _request(message):
    # The plugin's own dictionary is filled up, as in the original.
    message.setdefault("Verb", "GET")
    headers = message.setdefault("Headers", {})
    if isinstance(headers, dict):
        for name, value in _REQUEST_HEADERS.items():
            headers.setdefault(name, value)
    return _cordon_http.outbound(message)


def _frame(message):
    data = message.get("Payload")
    if isinstance(data, str):
        kind = "text"
    elif isinstance(data, (bytes, bytearray)):
        kind = "binary"
    else:
        kind = "continuation"
    operation = message.get("Operation")
    if "Operation" in message:
        if not isinstance(operation, str):
            raise Unsendable("'Operation' of a WebSocket message must be str")
        kind = _OPERATIONS.get(operation, kind)
    mask = _mask(message["Mask"]) if "Mask" in message else None
    return ("websocket", kind, mask, _cordon_http.body(data))


def _mask(value):
    try:
        # A text with a decimal number is one, too.
        if isinstance(value, (int, str)):
            return int(value) & 0xFFFFFFFF
    except ValueError:
        pass
    raise Unsendable("'Mask' of a WebSocket message must be a number")


def inbound(kind, finish, mask, data):
    """The dictionary for one frame."""
    message = {}
    if kind not in ("ping", "pong"):
        message["Finish"] = finish
    if kind in ("ping", "pong", "close"):
        message["Operation"] = kind.capitalize()
    if mask is not None:
        message["Mask"] = mask
    if kind == "text":
        message["Payload"] = _text(data)
    elif kind == "close" and len(data) == 2:
        message["Payload"] = int.from_bytes(data, "big")
    elif data or kind == "continuation":
        message["Payload"] = data
    return message


def _text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        log.error("a WebSocket text is not UTF-8 and was passed on as bytes")
        return data
