"""What the hub calls: the functions of the framework of the instance.

``deliver`` and ``call`` are the framework's very own, not functions that lead there:
they are on the path of every callback.
"""

import _cordon_domoticz

deliver = _cordon_domoticz.deliver
call = _cordon_domoticz.call


def start(setup):
    """Prepares the framework and imports the plugin."""
    global deliver, call
    framework = _cordon_domoticz
    if setup["framework"] == "indigo":
        import _cordon_indigo as framework

        deliver, call = framework.deliver, framework.call
    return framework.start(setup)
