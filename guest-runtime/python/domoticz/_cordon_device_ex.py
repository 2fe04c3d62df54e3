"""``DomoticzEx.Device``: the group of units that share an external id.

Owns the object's members and the way in which ``Devices`` follows the rows of the hub.
A device has no row of its own: it exists as long as the plugin runs (spec 4.4).
"""

from operator import attrgetter

import _cordon

import _cordon_answer as answers
import _cordon_binding as binding
import _cordon_log as log
import _cordon_unit as units
from _cordon_arguments import any_case, number, text
from _cordon_member import read_only

_CONSTRUCTOR_HINT = "Expected Device(DeviceID), names in any case"


def _set_timed_out(device, value):
    value = number(value)
    if value == device.__TimedOut__:
        return
    device.__TimedOut__ = value
    for unit in device.__Units__.values():
        if isinstance(unit, units.Unit) and unit.__ID__ != units.NO_ID:
            # In the hub this is a matter of rows; the member is not written to disk.
            _cordon.device_update(unit.__ID__, {"timed_out": value})


def _keep_timed_out(device):
    raise TypeError("can't delete numeric/char attribute")


class Device:
    """A device of this plugin's hardware, with its units by number."""

    __slots__ = ("__DeviceID__", "__TimedOut__", "__Units__", "__bound__")
    __module__ = "DomoticzEx"

    DeviceID = Key = read_only("DeviceID")
    Units = read_only("Units")
    TimedOut = property(attrgetter("__TimedOut__"), _set_timed_out, _keep_timed_out)

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.__DeviceID__ = ""
        self.__TimedOut__ = 0
        self.__Units__ = {}
        self.__bound__ = False
        return self

    def __init__(self, *args, **kwargs):
        if not binding.ready("Device"):
            return
        self.__bound__ = True
        try:
            self.__DeviceID__ = _only_argument(*args, **kwargs)
        except Exception as failure:
            log.refused_arguments("Device", _CONSTRUCTOR_HINT, failure)

    def __str__(self):
        return "DeviceID: '%s', Units: %d" % (self.__DeviceID__, len(self.__Units__))

    def Refresh(self):
        """Makes new objects for the rows of this device; others stay as they are."""
        if answers.usable(self, "Refresh"):
            _add_units(self, _cordon.devices_list())


@any_case
def _only_argument(DeviceID):
    return text(DeviceID, "DeviceID")


def new_device(device_id):
    """A new object of the registered class."""
    device = (binding.device_class or Device)(device_id)
    # A subclass need not have called our constructor.
    device.__bound__ = True
    device.__DeviceID__ = device_id
    return device


# Units ask for the device that they belong to, before it is in Devices.
binding.new_device = new_device


def load(rows, devices):
    """Puts objects of the registered classes for these rows into ``devices``, by
    device id (spec 2.3)."""
    for device_id in sorted({row.device_id for row in rows}):
        try:
            device = devices[device_id] = new_device(device_id)
            # A subclass may have its own Refresh, and it is told; else the rows
            # are at hand.
            if getattr(type(device), "Refresh", None) is Device.Refresh:
                _add_units(device, rows)
            else:
                device.Refresh()
        except Exception as failure:
            # Such a class costs its own device only, as in the legacy framework.
            log.exception("Device", failure)


def _add_units(device, rows):
    own = [row for row in rows if row.device_id == device.__DeviceID__]
    for row in sorted(own, key=lambda row: row.unit):
        try:
            device.__Units__[row.unit] = units.instance(device, row, row.name)
        except Exception as failure:
            log.exception("Unit", failure)


def added(device_id, unit):
    """Brings ``Devices`` up to date for a row that something else made.

    The original leaves the unit out, which is listed as a defect.
    """
    row = _cordon.device_get(device_id, unit)
    if row is None:
        return
    try:
        device = binding.devices.get(device_id)
        if not isinstance(device, Device):
            device = binding.devices[device_id] = new_device(device_id)
        known = device.__Units__.get(unit)
        if isinstance(known, units.Unit):
            known.Refresh()
        else:
            device.__Units__[unit] = units.instance(device, row, row.name)
    except Exception as failure:
        log.exception("Unit", failure)


def modified(device_id, unit):
    """Brings an object up to date for a row that something else changed."""
    known = _unit(device_id, unit)
    if known is None:
        log.error("unit %d of device '%s' was modified but is not in Devices" % (unit, device_id))
        return
    try:
        known.Refresh()
    except Exception as failure:
        log.exception("Refresh", failure)


def removed(device_id, unit):
    """The callback for a removed row has run (rule 161)."""
    device = binding.devices.get(device_id)
    if isinstance(device, Device):
        device.__Units__.pop(unit, None)


def receivers(device_id, unit):
    """The objects that may take an event of a unit, first come first served, each with
    the arguments that go before those of the event (spec 8.2)."""
    device = binding.devices.get(device_id)
    found = []
    if isinstance(device, Device):
        known = device.__Units__.get(unit)
        if known is not None:
            found.append((known, ()))
        found.append((device, (unit,)))
    found.append((binding.plugin, (device_id, unit)))
    return found


def strangers():
    """Entries of ``Devices`` that are no devices, by key."""
    return [key for key, device in binding.devices.items() if not isinstance(device, Device)]


def _unit(device_id, unit):
    device = binding.devices.get(device_id)
    known = device.__Units__.get(unit) if isinstance(device, Device) else None
    return known if isinstance(known, units.Unit) else None
