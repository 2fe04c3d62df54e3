"""``indigo.utils``: helpers for plugins.

Owns JSON with dates and enumerations, errors of a dialog as an exception, replies that
hand out a file, and tests of texts that users type. Only `return_static_file` looks at
files, and none of it talks to the server.
"""

import builtins
import datetime
import json
import mimetypes
import os
import re

from indigo import _plugin
from indigo._containers import Dict
from indigo._element import BaseElem
from indigo._enumerations import Enumeration

FileNotFoundError = builtins.FileNotFoundError

_TRUE = frozenset(("y", "yes", "t", "true", "on", "1", "open", "locked"))
_FALSE = frozenset(("n", "no", "f", "false", "off", "0", "closed", "unlocked"))
_OPPOSITES = {
    "y": "n",
    "yes": "no",
    "t": "f",
    "true": "false",
    "on": "off",
    "1": "0",
    "open": "closed",
    "locked": "unlocked",
}
_OPPOSITES.update({no: yes for yes, no in _OPPOSITES.items()})

_ADDRESS = re.compile(r"[^@\s\"(),:;<>\[\]\\]+@[^@\s.,;]+(\.[^@\s.,;]+)+")


class IndigoJSONEncoder(json.JSONEncoder):
    """Writes dates as ISO text, enumerations by name, and Indigo's own types."""

    def default(self, value):
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return value.isoformat()
        if isinstance(value, BaseElem) or hasattr(value, "_fields"):
            return dict(value)
        return json.JSONEncoder.default(self, value)

    def encode(self, value):
        return json.JSONEncoder.encode(self, _named(value))

    def iterencode(self, value, _one_shot=False):
        return json.JSONEncoder.iterencode(self, _named(value), _one_shot)


JSONDateEncoder = IndigoJSONEncoder


def _named(value):
    """The value with members of enumerations as their text: JSON would write a number."""
    if isinstance(value, Enumeration):
        return repr(value)
    if isinstance(value, dict):
        return {
            _named(key) if isinstance(key, Enumeration) else key: _named(item)
            for key, item in dict.items(value)
        }
    if isinstance(value, list):
        return [_named(item) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return [_named(item) for item in value]
    if isinstance(value, BaseElem):
        return _named(dict(value))
    return value


class ValidationError(Exception):
    """The errors in the values of a dialog: ``dict(error)`` is by field."""

    def __init__(self, message="", error_state_str=None, error_dict=None):
        Exception.__init__(self, message)
        self.message = message
        self.error_state_str = error_state_str
        self.error_dict = dict(error_dict or {})

    def add_error(self, key, value):
        self.error_dict[key] = value

    def remove_error(self, key):
        self.error_dict.pop(key, None)

    def raise_if_errors(self):
        """Raises itself if a field has an error."""
        if self.error_dict:
            raise self

    def keys(self):
        return self.error_dict.keys()

    def __getitem__(self, key):
        return self.error_dict[key]

    def __contains__(self, key):
        return key in self.error_dict

    def __len__(self):
        return len(self.error_dict)

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(self.error_dict.items())

    def __str__(self):
        return str(self.message)


def return_static_file(file_path, status=200, path_is_relative=True, content_type=None):
    """The reply with which the web server hands out a file.

    ``file_path`` is a text or a list of its parts; a relative one begins at the
    server's folder. Raises `FileNotFoundError` where there is no such file.
    """
    if isinstance(file_path, (list, tuple)):
        file_path = "/".join(str(part) for part in file_path)
    if not isinstance(file_path, (str, os.PathLike)):
        raise TypeError(
            "file_path is a text or a list of its parts, not %s" % type(file_path).__name__
        )
    path = os.fspath(file_path)
    if path_is_relative:
        folder = str(_plugin.facts.get("installFolder", "")).rstrip("/")
        path = folder + "/" + path.lstrip("/")
    if not os.path.isfile(path):
        raise FileNotFoundError("file not found: %s" % file_path)
    if content_type is None:
        content_type = mimetypes.guess_type(path)[0] or "text/plain"
    return Dict(
        {
            "status": int(status),
            "file_path": path,
            "headers": {"Content-Type": content_type},
        }
    )


def validate_email_address(address):
    """Whether this can be the address of a mail."""
    return isinstance(address, str) and _ADDRESS.fullmatch(address) is not None


def str_to_bool(value):
    """True or False for the words that mean them; raises `ValueError` for others."""
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("%r means neither true nor false" % (value,))


def reverse_bool_str_value(value):
    """The opposite word, written in the same case; raises `ValueError` for others."""
    text = str(value)
    opposite = _OPPOSITES.get(text.strip().lower())
    if opposite is None:
        raise ValueError("%r means neither true nor false" % (value,))
    if text.isupper():
        return opposite.upper()
    return opposite.capitalize() if text[:1].isupper() else opposite


def is_int(value):
    """Whether ``int(value)`` works."""
    try:
        int(value)
    except (TypeError, ValueError):
        return False
    return True


__all__ = [
    "FileNotFoundError",
    "IndigoJSONEncoder",
    "JSONDateEncoder",
    "ValidationError",
    "is_int",
    "return_static_file",
    "reverse_bool_str_value",
    "str_to_bool",
    "validate_email_address",
]
