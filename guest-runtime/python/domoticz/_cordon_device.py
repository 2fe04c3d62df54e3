"""``Domoticz.Device``: one row of the hub's device table.

Owns the object's members and the requests of its methods. It never changes a member of
its own accord: after every request the members have the values that the hub has stored.
The one exception is ``TimedOut``, which is kept in memory (spec 4.3).
"""

import _cordon

import _cordon_answer as answers
import _cordon_binding as binding
import _cordon_change as changes
import _cordon_log as log
import _cordon_types as types
from _cordon_arguments import ABSENT, any_case, number, text
from _cordon_member import read_only

# The unit of a new object, and of one with an illegal unit (rule 33).
NO_UNIT = -1

# A row that was never stored has this id.
NO_ID = -1

_CONSTRUCTOR_HINT = (
    "Expected Device(Name, Unit, TypeName='', Type=0, Subtype=0, Switchtype=0, Image=0,"
    " Options={}, Used=0, DeviceID='', Description=''), names in any case"
)
_UPDATE_HINT = (
    "Expected Update(nValue, sValue, Image, SignalLevel, BatteryLevel, Options, TimedOut,"
    " Name, TypeName, Type, Subtype, Switchtype, Used, Description, Color,"
    " SuppressTriggers) with names in any case, of which the first two are mandatory"
)


class Device:
    """A device of this plugin's hardware (spec 4.3)."""

    __slots__ = (
        "__ID__",
        "__Unit__",
        "__DeviceID__",
        "__Name__",
        "__Type__",
        "__SubType__",
        "__SwitchType__",
        "__nValue__",
        "__sValue__",
        "__SignalLevel__",
        "__BatteryLevel__",
        "__LastLevel__",
        "__Image__",
        "__Used__",
        "__Description__",
        "__Color__",
        "__Options__",
        "__LastUpdate__",
        "__Adjustment__",
        "__Multiplier__",
        "__TimedOut__",
        "__bound__",
    )
    __module__ = "Domoticz"

    ID = read_only("ID")
    Name = read_only("Name")
    DeviceID = read_only("DeviceID")
    Unit = Key = read_only("Unit")
    nValue = read_only("nValue")
    sValue = read_only("sValue")
    SignalLevel = read_only("SignalLevel")
    BatteryLevel = read_only("BatteryLevel")
    Image = read_only("Image")
    Type = read_only("Type")
    SubType = read_only("SubType")
    SwitchType = read_only("SwitchType")
    LastLevel = read_only("LastLevel")
    LastUpdate = read_only("LastUpdate")
    Options = read_only("Options")
    Used = read_only("Used")
    TimedOut = read_only("TimedOut")
    Description = read_only("Description")
    Color = read_only("Color")
    Adjustment = read_only("Adjustment")
    Multiplier = read_only("Multiplier")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.__ID__ = NO_ID
        self.__Unit__ = NO_UNIT
        self.__DeviceID__ = ""
        self.__Name__ = ""
        self.__Type__ = 0
        self.__SubType__ = 0
        self.__SwitchType__ = 0
        self.__nValue__ = 0
        self.__sValue__ = ""
        self.__SignalLevel__ = 100
        self.__BatteryLevel__ = 255
        self.__LastLevel__ = 0
        self.__Image__ = 0
        self.__Used__ = 0
        self.__Description__ = ""
        self.__Color__ = ""
        self.__Options__ = {}
        self.__LastUpdate__ = None
        self.__Adjustment__ = 0.0
        self.__Multiplier__ = 1.0
        self.__TimedOut__ = 0
        self.__bound__ = False
        return self

    def __init__(self, *args, **kwargs):
        if not binding.ready("Device"):
            return
        self.__bound__ = True
        try:
            _construct(self, *args, **kwargs)
        except Exception as failure:
            log.refused_arguments("Device", _CONSTRUCTOR_HINT, failure)

    def __str__(self):
        return "ID: %d, Name: '%s', nValue: %d, sValue: '%s'" % (
            self.__ID__,
            self.__Name__,
            self.__nValue__,
            self.__sValue__,
        )

    def Create(self):
        """Stores the device as a new row and puts it into ``Devices``."""
        if not answers.usable(self, "Create"):
            return
        if self.__ID__ != NO_ID:
            _fail(self, "created", "it exists already")
            return
        if self.__Unit__ == NO_UNIT:
            _fail(self, "created", answers.REASONS["bad-unit"])
            return
        answer = _cordon.device_create(changes.new_row(self))
        if _stored(self, answer, "created"):
            binding.devices[self.__Unit__] = self

    def Refresh(self):
        """Reads the row again; a missing one changes nothing."""
        if not answers.usable(self, "Refresh") or self.__Unit__ == NO_UNIT:
            return
        row = _cordon.device_get(None, self.__Unit__)
        if row is not None:
            fill(self, row)

    def Update(self, *args, **kwargs):
        """Changes the row; the members follow."""
        if not answers.usable(self, "Update"):
            return
        try:
            change = changes.change(self, *args, **kwargs)
        except Exception as failure:
            log.refused_arguments("Update", _UPDATE_HINT, failure)
            return
        if self.__ID__ == NO_ID and not _adopt_row(self):
            _fail(self, "updated", answers.REASONS["missing"])
            return
        timed_out = change.get("timed_out")
        if timed_out is not None:
            self.__TimedOut__ = timed_out
        _stored(self, _cordon.device_update(self.__ID__, change), "updated")

    def Delete(self):
        """Removes the row and the entry in ``Devices``; the members stay."""
        if not answers.usable(self, "Delete"):
            return
        if self.__ID__ == NO_ID:
            _fail(self, "deleted", answers.REASONS["missing"])
            return
        answer = _cordon.device_delete(self.__ID__)
        if not answer[0]:
            _fail(self, "deleted", answers.reason(answer))
            return
        binding.devices.pop(self.__Unit__, None)
        _note(self, "deleted")

    def Touch(self):
        """Sets the time of the last update to now."""
        if not answers.usable(self, "Touch"):
            return
        if self.__ID__ == NO_ID:
            _fail(self, "touched", answers.REASONS["missing"])
            return
        _stored(self, _cordon.device_touch(self.__ID__), "touched")


def fill(device, row):
    """Takes over a row of the hub: the contract's record `device`."""
    device.__ID__ = row.id
    device.__Unit__ = row.unit
    device.__DeviceID__ = row.device_id
    device.__Name__ = row.name
    device.__Type__ = row.device_type
    device.__SubType__ = row.sub_type
    device.__SwitchType__ = row.switch_type
    device.__nValue__ = row.n_value
    device.__sValue__ = row.s_value
    device.__SignalLevel__ = row.signal_level
    device.__BatteryLevel__ = row.battery_level
    device.__LastLevel__ = row.last_level
    device.__Image__ = row.image
    device.__Used__ = row.used
    device.__Description__ = row.description
    device.__Color__ = row.color
    device.__LastUpdate__ = row.last_update
    device.__Options__ = dict(row.options)
    device.__Adjustment__ = row.adjustment
    device.__Multiplier__ = row.multiplier


def load(rows, devices):
    """Puts objects of the registered class for these rows into ``devices``, by unit
    (spec 2.3).

    A class whose constructor raises costs its own device only: the original
    gives up on the rest, which is listed as a defect.
    """
    for row in sorted(rows, key=lambda row: row.unit):
        try:
            devices[row.unit] = _instance(row.unit, row)
        except Exception as failure:
            log.exception("Device", failure)


def added(device_id, unit):
    """Brings ``Devices`` up to date for a row that something else made."""
    device = binding.devices.get(unit)
    if isinstance(device, Device):
        device.Refresh()
        return
    try:
        binding.devices[unit] = _instance(unit, None)
    except Exception as failure:
        log.exception("Device", failure)


def modified(device_id, unit):
    """Brings an object up to date for a row that something else changed."""
    device = binding.devices.get(unit)
    if not isinstance(device, Device):
        log.error("unit %d was modified but is not in Devices" % unit)
        return
    try:
        device.Refresh()
    except Exception as failure:
        log.exception("Refresh", failure)


def removed(device_id, unit):
    """The callback for a removed row has run (rule 161)."""
    binding.devices.pop(unit, None)


def receivers(device_id, unit):
    """The objects that may take an event of a device, with the arguments that go first."""
    return [(binding.plugin, (unit,))]


def strangers():
    """Entries of ``Devices`` that are no devices, by key."""
    return [key for key, device in binding.devices.items() if not isinstance(device, Device)]


def _instance(unit, row):
    device = (binding.device_class or Device)("", unit)
    # A subclass need not have called our constructor.
    device.__bound__ = True
    # A subclass may have its own Refresh, and it is told; else the row that is
    # at hand saves a question to the hub for every device at start.
    if row is not None and getattr(type(device), "Refresh", None) is Device.Refresh:
        fill(device, row)
        return device
    if device.__Unit__ == NO_UNIT:
        device.__Unit__ = unit
    device.Refresh()
    return device


@any_case
def _construct(
    device,
    Name,
    Unit,
    TypeName=ABSENT,
    Type=0,
    Subtype=0,
    Switchtype=-1,
    Image=-1,
    Options=None,
    Used=0,
    DeviceID="",
    Description="",
):
    name = text(Name, "Name")
    unit = number(Unit)
    type_name = None if TypeName is ABSENT else text(TypeName, "TypeName")
    numbers = [number(value) for value in (Type, Subtype, Switchtype, Image, Used)]
    device_id = text(DeviceID, "DeviceID")
    device.__Description__ = text(Description, "Description")
    device.__Name__ = name
    if not 1 <= unit <= 255:
        log.core_error("unit number %d is outside 1 to 255" % unit)
        return
    device.__Unit__ = unit
    types.apply(device, type_name, numbers, Options)
    # Four upper-case hexadecimal digits each, which plugins rely on (rule 32).
    device.__DeviceID__ = device_id or "%04X%04X" % (binding.hardware_id, unit)


def _adopt_row(device):
    """Looks up the row of an object that was made for an existing unit."""
    if device.__Unit__ == NO_UNIT:
        return False
    row = _cordon.device_get(None, device.__Unit__)
    if row is None:
        return False
    device.__ID__ = row.id
    return True


def _stored(device, answer, verb):
    """Takes over the row of a successful answer, else logs the reason."""
    if not answer[0]:
        _fail(device, verb, answers.reason(answer))
        return False
    fill(device, answer[1])
    _note(device, verb)
    return True


def _fail(device, verb, reason):
    answers.refused(device.__Name__, device.__Unit__, verb, reason)


def _note(device, verb):
    answers.note(device.__Name__, device.__Unit__, verb)
