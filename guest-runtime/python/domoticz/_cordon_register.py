"""``Register``: the classes that the framework makes devices and units of.

Owns the checks of spec 4.8. It works while the plugin is imported too, when lines
have no prefix.
"""

import _cordon_binding as binding
import _cordon_log as log
from _cordon_arguments import any_case

_HINT = "Expected Register(Device, Unit=None), names in any case"


def register(device_base, unit_base, args, kwargs):
    """Takes the classes of a call; ``unit_base`` is None where there are no units.

    Each must be a subclass of the one that is registered now. One that is not is
    left out with a line, and then the other is not taken either.
    """
    report = log.error if binding.bound else log.core_error
    try:
        device, unit = _arguments(*args, **kwargs)
    except TypeError as failure:
        log.refused_arguments("Register", _HINT, failure, report)
        return
    if not _fits("Device", device, binding.device_class or device_base, report):
        return
    if unit is not None and unit_base is None:
        report("Register: Unit belongs to module 'DomoticzEx' and is left out")
    elif unit is not None:
        if not _fits("Unit", unit, binding.unit_class or unit_base, report):
            return
        binding.unit_class = unit
    binding.device_class = device


@any_case
def _arguments(Device, Unit=None):
    return Device, Unit


def _fits(name, chosen, base, report):
    if isinstance(chosen, type) and issubclass(chosen, base):
        return True
    report("Register: %s must be a subclass of %s.%s" % (name, base.__module__, base.__qualname__))
    return False
