"""What the hub calls, handed on to the framework of the instance."""

import _cordon_domoticz

_framework = _cordon_domoticz


def start(setup):
    """Prepares the framework and imports the plugin."""
    global _framework
    if setup["framework"] == "indigo":
        import _cordon_indigo

        _framework = _cordon_indigo
    return _framework.start(setup)


def deliver(kind, *arguments):
    """Delivers an event; returns the number of the outcome."""
    return _framework.deliver(kind, *arguments)


def call(name, arguments):
    """Calls a function of the plugin; returns the number of the outcome."""
    return _framework.call(name, arguments)
