"""Finds the function of a plugin for a callback, and the number of its arguments.

Owns the two styles of names, camelCase and snake_case, and the rule that tells
functions of the plugin from those of the base class. It calls nothing.
"""

import inspect
import re

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])")

# The base class of plugins, which its module puts here.
base = None

_snake = {}


def snake_case(name):
    """``deviceStartComm`` as ``device_start_comm``."""
    known = _snake.get(name)
    if known is None:
        known = _snake[name] = _HUMP.sub(lambda hump: "_" + hump.group(), name).lower()
    return known


def camel_case(name):
    """``device_start_comm`` as ``deviceStartComm``."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def overridden(plugin, name):
    """The plugin's own function for a callback, in either style, or ``None``."""
    for spelling in (name, snake_case(name)):
        method = _own(plugin, spelling)
        if method is not None:
            return method
    return None


def _own(plugin, name):
    kind = type(plugin)
    found = vars(plugin).get(name)
    if found is None:
        found = getattr(kind, name, None)
        if found is None or found is getattr(base, name, None):
            return None
    method = getattr(plugin, name)
    return method if callable(method) else None


def callback(plugin, name):
    """The function for a callback: the plugin's own or that of the base class."""
    return overridden(plugin, name) or getattr(plugin, name, None)


def named(plugin, name):
    """The function of a name out of an XML file, as written or in the other style."""
    for spelling in (name, snake_case(name), camel_case(name)):
        method = getattr(plugin, spelling, None)
        if callable(method):
            return method
    return None


def fitting(function, arguments):
    """As many of these arguments as the function takes by position."""
    taken = _positions(function)
    return arguments if taken is None else arguments[:taken]


def keywords(function, given):
    """Those of these keyword arguments that the function names or takes in general."""
    if not given:
        return {}
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return given
    named_ones = {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}
    return {name: value for name, value in given.items() if name in named_ones}


def _positions(function):
    """How many arguments a function takes by position; ``None`` for any number."""
    bound = getattr(function, "__func__", None)
    code = getattr(bound or function, "__code__", None)
    if code is not None and getattr(bound or function, "__wrapped__", None) is None:
        if code.co_flags & inspect.CO_VARARGS:
            return None
        return code.co_argcount - (bound is not None)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
