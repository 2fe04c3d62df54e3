"""JSON as Domoticz plugins get and keep it.

Owns the conversion of received objects (spec 7.3) and of ``Configuration`` (spec 9.1).
It never talks to the hub; a value that cannot be converted raises `ValueError`.
"""

import json
import math
import re

# Integers outside this range become floats (spec 7.3).
_LOWEST = -(2**31)
_HIGHEST = 2**32 - 1

# Deeper values are refused: a peer must not use up the interpreter's stack.
DEPTH_LIMIT = 64

_TOO_DEEP = "nested deeper than %d levels" % DEPTH_LIMIT


def _reject_constant(name):
    raise ValueError(name + " is no JSON number")


# strict=False lets raw newlines in strings pass.
_decoder = json.JSONDecoder(strict=False, parse_constant=_reject_constant)

# A string, a comment, a trailing comma or the zeros at the front of a number.
# An unfinished string or comment takes the rest, which keeps this linear.
_LENIENT = re.compile(
    r'("(?:[^"\\]|\\.)*(?:"|\\?\Z))'
    r"|(//[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?<![\w.+-])(-?)0+(?=\d)",
    re.DOTALL,
)
_TRAILING = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\\?\Z))|,(?=\s*[}\]])', re.DOTALL)


def parse_object(text):
    """The dictionary for the text of one received JSON object.

    Tolerates the same faults as the original's parser: comments, trailing commas, a
    byte order mark, leading zeros, raw newlines in strings, text after the value.
    """
    value = _converted(_decode(text), False, 0)
    if type(value) is not dict:
        raise ValueError("the message is no JSON object")
    return value


def parse_configuration(text):
    """The stored configuration.

    As a received object, but booleans stay booleans everywhere and floats stay
    floats: the losses of spec 9.1 are not reproduced.
    """
    value = _converted(_decode(text), True, 0)
    if type(value) is not dict:
        raise ValueError("the stored configuration is no JSON object")
    return value


def configuration_text(configuration):
    """The JSON text under which a configuration is stored (spec 9.1)."""
    return json.dumps(_storable(configuration, 0), ensure_ascii=True, allow_nan=False)


def _decode(text):
    if text.startswith("\ufeff"):
        text = text[1:]
    try:
        return _decoder.decode(text)
    except ValueError:
        pass
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    text = _LENIENT.sub(_lenient, text)
    text = _TRAILING.sub(lambda found: found.group(1) or "", text)
    try:
        return _decoder.raw_decode(text.lstrip())[0]
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _lenient(found):
    string, comment, sign = found.groups()
    if string is not None:
        return string
    return " " if comment is not None else sign


def _converted(value, exact, depth):
    """The Python value for a decoded one; `exact` for a configuration."""
    kind = type(value)
    if kind is str or kind is bool:
        return value
    if kind is int:
        return value if _LOWEST <= value <= _HIGHEST else _wide(value)
    if kind is float:
        if not exact and value.is_integer() and _LOWEST <= value <= _HIGHEST:
            return int(value)
        return value
    if value is None:
        return ""
    if depth >= DEPTH_LIMIT:
        raise ValueError(_TOO_DEEP)
    depth += 1
    if kind is dict:
        # Keys come in alphabetical order of their bytes, which is that of
        # their code points.
        return {key: _converted(value[key], exact, depth) for key in sorted(value)}
    items = [_converted(item, exact, depth) for item in value]
    if exact:
        return items
    # Inside arrays the original turns booleans into text (rule 112).
    return [_BOOLEANS[item] if type(item) is bool else item for item in items]


def _wide(value):
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a number has more than 308 digits") from None


_BOOLEANS = {True: "true", False: "false"}


def _storable(value, depth):
    """The part of a value that JSON can hold: the left column of spec 9.1."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        value = int(value)
        return value if _LOWEST <= value <= _HIGHEST else _wide(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("%r cannot be stored" % value)
        return float(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, (dict, list, tuple)):
        if depth >= DEPTH_LIMIT:
            raise ValueError(_TOO_DEEP)
        if isinstance(value, dict):
            return {str(key): _storable(item, depth + 1) for key, item in value.items()}
        return [_storable(item, depth + 1) for item in value]
    # None becomes the text None; other objects their own text.
    return str(value)
