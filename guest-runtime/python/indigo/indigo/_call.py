"""Calls of the server, and values on their way there and back.

Owns the JSON that travels: the form of Indigo's values when they are written, and the
values that are made of it when it is read. Every function here that calls the server
waits for it.
"""

import binascii
import datetime
import json
from json.encoder import encode_basestring

import _cordon

from indigo import _errors
from indigo._containers import DEPTH_LIMIT, Dict, List, stored
from indigo._enumerations import Enumeration

# Classes of objects by the name under which they travel; filled by their modules.
classes = {}

_DATE = "%Y-%m-%dT%H:%M:%S"

# Arguments that were not given, where None means something.
ABSENT = object()

_WORDS = {True: "true", False: "false"}


def command(name, arguments):
    """Carries out a command; the reply as plain Python.

    Leaves out the arguments that are `ABSENT` or ``None``; a ``None`` that has to
    travel is wrapped in `Given`.
    """
    parts = [
        encode_basestring(key) + ":" + text(value)
        for key, value in arguments.items()
        if value is not None and value is not ABSENT
    ]
    kind, reply = _cordon.call(name, "{" + ",".join(parts) + "}")
    if kind is not None:
        raise _errors.failure(kind, reply)
    return json.loads(reply) if reply else None


class Given:
    """A value that travels although it is ``None``."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Written:
    """A value whose JSON is written already."""

    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text


def reference(element):
    """How an object is named to the server: by its number or by its name."""
    number = getattr(element, "id", None)
    if type(number) is int:
        return number
    if isinstance(element, bool) or not isinstance(element, (int, str)):
        raise TypeError("an object, its id or its name is needed, not %s" % type(element).__name__)
    return element


def text(value, depth=0):
    """The JSON of a value."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is bool:
        return _WORDS[value]
    if kind is int:
        return int.__repr__(value)
    if value is None:
        return "null"
    if kind is float:
        return _number(value)
    if isinstance(value, Enumeration):
        return '"' + value.name + '"'
    if depth > DEPTH_LIMIT:
        raise ValueError("nested deeper than %d levels" % DEPTH_LIMIT)
    if isinstance(value, dict):
        # The stored values of a Dict will do: they are not changed here.
        return (
            "{"
            + ",".join([_key(key) + ":" + text(item, depth + 1) for key, item in dict.items(value)])
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join([text(item, depth + 1) for item in list.__iter__(value)]) + "]"
    if isinstance(value, (tuple, set, frozenset)):
        return "[" + ",".join([text(item, depth + 1) for item in value]) + "]"
    return _other(value, depth)


def _key(key):
    if isinstance(key, str):
        return encode_basestring(str.__str__(key))
    return encode_basestring(str(key))


def _number(value):
    if value - value != 0.0:
        raise ValueError("%r is no number that can be sent" % value)
    return float.__repr__(value)


def _other(value, depth):
    """The form of a value that is neither exactly one of JSON's types nor a container."""
    if isinstance(value, Given):
        return text(value.value, depth)
    if isinstance(value, Written):
        return value.text
    if isinstance(value, str):
        return encode_basestring(str.__str__(value))
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(float(value))
    if isinstance(value, datetime.datetime):
        return '"' + value.strftime(_DATE) + '"'
    if isinstance(value, datetime.date):
        return '"' + value.isoformat() + '"'
    if hasattr(value, "_fields") and hasattr(value, "_from"):
        # A copy of an object, or an action.
        return text(dict(value), depth + 1)
    if isinstance(value, (bytes, bytearray)):
        return encode_basestring(bytes(value).decode("utf-8", "replace"))
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return text({key: value[key] for key in value.keys()}, depth + 1)
    raise TypeError("a value of type %s cannot be sent" % type(value).__name__)


def page(result):
    """A reply to a browser, in which bytes that are no text travel as base64."""
    if isinstance(result, (bytes, bytearray)):
        return _sent(result)
    if isinstance(result, dict) and isinstance(dict.get(result, "content"), (bytes, bytearray)):
        result = dict(dict.items(result))
        result["content"] = _sent(result["content"])
    return result


def _sent(value):
    """The text of bytes, or what the server makes bytes of."""
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        return {"cordon-bytes": binascii.b2a_base64(value, newline=False).decode()}


def moment(value):
    """The datetime for a travelling one; ``None`` stays ``None``."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return datetime.datetime.fromisoformat(value)
    except ValueError:
        return None


def decoded(value):
    """A travelling value as a plugin sees it: objects by their class, containers
    as `Dict` and `List`."""
    if type(value) is dict:
        kind = classes.get(value.get("class"))
        if kind is not None:
            return kind._from(value)
        return Dict._over(value)
    if type(value) is list:
        if value and type(value[0]) is dict and value[0].get("class") in classes:
            return [decoded(item) for item in value]
        return List._over(value)
    return value


def instance(value):
    """The object that a reply holds, or ``None``."""
    return None if value is None else decoded(value)


def contained(value):
    """A travelling value that strangers made: containers, and never an object."""
    if type(value) is dict:
        return Dict._over(value)
    return List._over(value) if type(value) is list else value


def props(value):
    """Properties as they are sent; ``None`` means that there are none.

    Raises `LowLevelBadParameterError` for a name that the server does not take.
    """
    if value is None:
        return {}
    value = stored(value if isinstance(value, Dict) else dict(value))
    _check_names(value)
    return value


def _check_names(value):
    for key in value:
        if (
            not key
            or not key.isascii()
            or key[:3].lower() == "xml"
            or " " in key
            or not key[0].isalpha()
        ):
            raise _errors.LowLevelBadParameterError(
                "%.100r is no name for a property: it has to be ASCII without spaces and"
                " begins with a letter, and not with xml" % key
            )
        _check_nested(value[key])


def _check_nested(value):
    if type(value) is dict:
        _check_names(value)
    elif type(value) is list:
        for item in value:
            _check_nested(item)
