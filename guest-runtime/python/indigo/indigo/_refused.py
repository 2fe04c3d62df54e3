"""Parts that this server does not have: Insteon, X10 and Z-Wave interfaces, a debugger.

Owns the words of the refusals. The names exist, so that plugins load. A subscription to
events that never come is noted in the log; sending raises.
"""

from indigo import _call, _errors, _plugin


class Interface:
    """The commands of an interface that is not there: all of them, by whatever name."""

    def __init__(self, name, title):
        self._name = name
        self._title = title

    def _note(self, command):
        _call.command(
            "server.log",
            {
                "message": "indigo.%s.%s: this server has no %s interface, so nothing will come"
                % (self._name, command, self._title),
                "level": 30,
                "isError": False,
                "type": _plugin.facts.get("pluginDisplayName"),
            },
        )

    def subscribeToIncoming(self):
        """Notes that nothing will come."""
        self._note("subscribeToIncoming")

    def subscribeToOutgoing(self):
        """Notes that nothing will come."""
        self._note("subscribeToOutgoing")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError("indigo.%s has no attribute '%s'" % (self._name, name))

        def refused(*args, **kwargs):
            raise _errors.absent(
                self._name + "." + name,
                "this server has no %s interface; operate the devices of a plugin that speaks"
                " %s, with indigo.device and its kin" % (self._title, self._title),
            )

        return refused

    def __repr__(self):
        return "indigo." + self._name


insteon = Interface("insteon", "Insteon")
x10 = Interface("x10", "X10")
zwave = Interface("zwave", "Z-Wave")


def debugger(*args, **kwargs):
    """Notes that a plugin's component has no terminal to debug at."""
    _call.command(
        "server.log",
        {
            "message": "indigo.debugger(): there is no terminal in a plugin's component; the call"
            " does nothing",
            "level": 30,
            "isError": False,
            "type": _plugin.facts.get("pluginDisplayName"),
        },
    )


def rawServerCommand(*args, **kwargs):
    """Refused: it bypasses the commands that this server knows."""
    raise _errors.absent("rawServerCommand", "use the collections and commands of the module")
