"""The exceptions of the module, and the choice of one for a failed command.

Owns the mapping of the contract's kinds of failure to classes. Those that Python
has are Python's own, as plugins catch them.
"""

import builtins


class ArgumentError(builtins.TypeError):
    """An argument is missing or of the wrong kind."""


class LowLevelBadParameterError(builtins.ValueError):
    """A name in properties or states that the server does not take."""


class ServerError(RuntimeError):
    """The server could not carry out a command."""


class PluginNotFoundError(ServerError):
    """There is no such plugin, or it does not run."""


_CLASSES = {
    "value": ValueError,
    "key": KeyError,
    "index": IndexError,
    "type": ArgumentError,
    "plugin": PluginNotFoundError,
    "timeout": TimeoutError,
    "unsupported": NotImplementedError,
    "limit": RuntimeError,
    "other": ServerError,
}


def failure(kind, message):
    """The exception for a failure of this kind."""
    return _CLASSES.get(kind, ServerError)(message)


def absent(what, instead):
    """The exception for the use of something that this server does not have."""
    return NotImplementedError("indigo.%s is not available: %s" % (what, instead))
