"""``DomoticzEx.Unit``: one row of the hub's device table.

Owns the object's members and the requests of its methods. Members can be assigned; the
arguments of ``Update`` decide which of them are stored. After an update the members
have the values that the hub has stored (spec 4.4).
"""

import _cordon

import _cordon_answer as answers
import _cordon_arguments as arguments
import _cordon_binding as binding
import _cordon_log as log
import _cordon_types as types
from _cordon_arguments import ABSENT, any_case, number, plain, text
from _cordon_member import anything, read_only, real, whole

# A row that was never stored has this id.
NO_ID = -1

_CONSTRUCTOR_HINT = (
    "Expected Unit(Name, DeviceID, Unit, TypeName='', Type=0, Subtype=0, Switchtype=0,"
    " Image=0, Options={}, Used=0, Description=''), names in any case"
)
_UPDATE_HINT = (
    "Expected Update(Log=False, TypeName='', UpdateProperties=False, UpdateOptions=False,"
    " SuppressTriggers=False), names in any case"
)
_NO_PARENT = "it has no Parent, because its unit number or its DeviceID is not legal"


class Unit:
    """A unit of a device of this plugin's hardware."""

    __slots__ = (
        "__ID__",
        "__Unit__",
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
        "__Parent__",
        "__bound__",
    )
    __module__ = "DomoticzEx"

    ID = read_only("ID")
    Unit = read_only("Unit")
    Name = anything("Name")
    nValue = whole("nValue")
    sValue = anything("sValue")
    SignalLevel = whole("SignalLevel")
    BatteryLevel = whole("BatteryLevel")
    Image = whole("Image")
    Type = whole("Type")
    SubType = whole("SubType")
    SwitchType = whole("SwitchType")
    LastLevel = whole("LastLevel")
    LastUpdate = read_only("LastUpdate")
    Options = anything("Options")
    Used = whole("Used")
    Description = anything("Description")
    Color = anything("Color")
    Adjustment = real("Adjustment")
    Multiplier = real("Multiplier")
    Parent = read_only("Parent")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.__ID__ = NO_ID
        self.__Unit__ = 0
        self.__Name__ = ""
        self.__Type__ = 0
        self.__SubType__ = 0
        self.__SwitchType__ = 0
        self.__nValue__ = 0
        self.__sValue__ = ""
        self.__SignalLevel__ = 12
        self.__BatteryLevel__ = 255
        self.__LastLevel__ = 0
        self.__Image__ = 0
        self.__Used__ = 0
        self.__Description__ = ""
        self.__Color__ = ""
        self.__Options__ = {}
        self.__LastUpdate__ = ""
        self.__Adjustment__ = 0.0
        self.__Multiplier__ = 0.0
        self.__Parent__ = None
        self.__bound__ = False
        return self

    def __init__(self, *args, **kwargs):
        if not binding.ready("Unit"):
            return
        self.__bound__ = True
        try:
            _construct(self, *args, **kwargs)
        except Exception as failure:
            log.refused_arguments("Unit", _CONSTRUCTOR_HINT, failure)

    def __str__(self):
        return "Unit: %d, Name: '%s', nValue: %d, sValue: '%s', LastUpdate: %s" % (
            self.__Unit__,
            self.__Name__,
            self.__nValue__,
            self.__sValue__,
            self.__LastUpdate__,
        )

    def Create(self):
        """Stores the unit as a new row and puts it into ``Devices``."""
        if not answers.usable(self, "Create"):
            return
        if self.__ID__ != NO_ID:
            _refused(self, "created", "it exists already")
            return
        parent = self.__Parent__
        if parent is None:
            _refused(self, "created", _NO_PARENT)
            return
        try:
            row = _new_row(self)
        except Exception as failure:
            log.exception("Create", failure)
            return
        if not _stored(self, _cordon.device_create(row), "created"):
            return
        # The parent of a unit that is the first of its device is not in Devices yet.
        parent = binding.devices.setdefault(parent.__DeviceID__, parent)
        self.__Parent__ = parent
        parent.__Units__[self.__Unit__] = self
        if parent.__TimedOut__:
            _cordon.device_update(self.__ID__, {"timed_out": parent.__TimedOut__})

    def Update(self, *args, **kwargs):
        """Stores the members that the arguments name; the members follow."""
        if not answers.usable(self, "Update"):
            return
        if self.__Parent__ is None:
            _refused(self, "updated", _NO_PARENT)
            return
        try:
            change = _change(self, *args, **kwargs)
        except Exception as failure:
            log.refused_arguments("Update", _UPDATE_HINT, failure)
            return
        if self.__ID__ == NO_ID:
            row = _row(self)
            if row is None:
                _refused(self, "updated", answers.REASONS["missing"])
                return
            self.__ID__ = row.id
        _stored(self, _cordon.device_update(self.__ID__, change), "updated")

    def Refresh(self):
        """Reads the row again; a missing one changes nothing."""
        if not answers.usable(self, "Refresh") or self.__Parent__ is None:
            return
        row = _row(self)
        if row is not None:
            fill(self, row)

    def Delete(self):
        """Removes the row and the entry in the device's ``Units``; the members stay."""
        if not answers.usable(self, "Delete"):
            return
        if self.__ID__ == NO_ID:
            _refused(self, "deleted", answers.REASONS["missing"])
            return
        answer = _cordon.device_delete(self.__ID__)
        if not answer[0]:
            _refused(self, "deleted", answers.reason(answer))
            return
        parent = self.__Parent__
        if parent is not None:
            # The original leaves the entry there, which is listed as a defect (rule 69).
            parent.__Units__.pop(self.__Unit__, None)
        answers.note(self.__Name__, self.__Unit__, "deleted")

    def Touch(self):
        """Sets the time of the last update to now."""
        if not answers.usable(self, "Touch"):
            return
        if self.__ID__ == NO_ID:
            _refused(self, "touched", answers.REASONS["missing"])
            return
        _stored(self, _cordon.device_touch(self.__ID__), "touched")


def fill(unit, row):
    """Takes over a row of the hub: the contract's record `device`."""
    unit.__ID__ = row.id
    unit.__Unit__ = row.unit
    unit.__Name__ = row.name
    unit.__Type__ = row.device_type
    unit.__SubType__ = row.sub_type
    unit.__SwitchType__ = row.switch_type
    unit.__nValue__ = row.n_value
    unit.__sValue__ = row.s_value
    unit.__SignalLevel__ = row.signal_level
    unit.__BatteryLevel__ = row.battery_level
    unit.__LastLevel__ = row.last_level
    unit.__Image__ = row.image
    unit.__Used__ = row.used
    unit.__Description__ = row.description
    unit.__Color__ = row.color
    unit.__LastUpdate__ = row.last_update
    unit.__Options__ = dict(row.options)
    unit.__Adjustment__ = row.adjustment
    unit.__Multiplier__ = row.multiplier


def instance(parent, row, name=""):
    """An object of the registered class for a unit of this device (spec 2.3)."""
    number_ = row.unit
    unit = (binding.unit_class or Unit)(name, parent.__DeviceID__, number_)
    # A subclass need not have called our constructor.
    unit.__bound__ = True
    unit.__Unit__ = number_
    unit.__Parent__ = parent
    # A subclass may have its own Refresh, and it is told; else the row is at hand.
    if getattr(type(unit), "Refresh", None) is Unit.Refresh:
        fill(unit, row)
    else:
        unit.Refresh()
    return unit


@any_case
def _construct(
    unit,
    Name,
    DeviceID,
    Unit,
    TypeName=ABSENT,
    Type=0,
    Subtype=0,
    Switchtype=-1,
    Image=-1,
    Options=None,
    Used=0,
    Description="",
):
    name = text(Name, "Name")
    device_id = text(DeviceID, "DeviceID")
    position = number(Unit)
    type_name = None if TypeName is ABSENT else text(TypeName, "TypeName")
    numbers = [number(value) for value in (Type, Subtype, Switchtype, Image, Used)]
    unit.__Description__ = text(Description, "Description")
    unit.__Name__ = name
    if not 1 <= position <= 255:
        log.core_error("unit number %d is outside 1 to 255" % position)
        return
    if not device_id:
        log.core_error("unit %d has an empty DeviceID" % position)
        return
    unit.__Unit__ = position
    types.apply(unit, type_name, numbers, Options)
    parent = binding.devices.get(device_id)
    unit.__Parent__ = binding.new_device(device_id) if parent is None else parent


def _new_row(unit):
    """The contract's record `new-device`, in its order."""
    options = unit.__Options__
    options = arguments.options(options) if isinstance(options, dict) else {}
    return (
        unit.__Unit__,
        unit.__Parent__.__DeviceID__,
        plain(unit.__Name__),
        # Unlike the legacy framework (rule 58).
        False,
        unit.__Type__,
        unit.__SubType__,
        unit.__SwitchType__,
        unit.__nValue__,
        plain(unit.__sValue__),
        unit.__SignalLevel__,
        unit.__BatteryLevel__,
        unit.__Image__,
        unit.__Used__,
        plain(unit.__Description__),
        plain(unit.__Color__),
        types.stored_options(options, unit.__SubType__),
    )


@any_case
def _change(
    unit,
    Log=False,
    TypeName=ABSENT,
    UpdateProperties=False,
    UpdateOptions=False,
    SuppressTriggers=False,
):
    """The contract's record `change` for the arguments of Update."""
    change = {}
    options = unit.__Options__
    if TypeName is not ABSENT:
        main, sub, switch, value, defaults = types.resolve(
            text(TypeName, "TypeName"), unit.__SubType__, unit.__SwitchType__
        )
        unit.__Type__, unit.__SubType__, unit.__SwitchType__ = main, sub, switch
        unit.__nValue__, unit.__sValue__ = 0, value
        change["switch_type"] = switch
        if defaults and not options:
            options = defaults
            UpdateOptions = True
    # Before the value, so that a changed type never makes a second row.
    change["device_type"] = unit.__Type__
    change["sub_type"] = unit.__SubType__
    value = unit.__nValue__, plain(unit.__sValue__), unit.__SignalLevel__, unit.__BatteryLevel__
    if not SuppressTriggers:
        change["value"] = value
    elif TypeName is not ABSENT:
        change["silent_value"] = value
    if UpdateProperties:
        _add_properties(unit, change)
    if UpdateOptions and isinstance(options, dict):
        change["options"] = types.stored_options(arguments.options(options), unit.__SubType__)
    return change


def _add_properties(unit, change):
    """Adds the values that differ from the database (spec 4.4 Update)."""
    row = _row(unit)
    if row is None:
        return
    stored = {"name": row.name, "description": row.description, "color": row.color}
    for name, value in (
        ("name", unit.__Name__),
        ("description", unit.__Description__),
        ("color", unit.__Color__),
    ):
        value = plain(value)
        if value != stored[name]:
            change[name] = value
    change["switch_type"] = unit.__SwitchType__
    change["image"] = unit.__Image__
    change["used"] = unit.__Used__
    change["battery_level"] = unit.__BatteryLevel__
    change["signal_level"] = unit.__SignalLevel__


def _row(unit):
    return _cordon.device_get(unit.__Parent__.__DeviceID__, unit.__Unit__)


def _stored(unit, answer, verb):
    """Takes over the row of a successful answer, else logs the reason."""
    if not answer[0]:
        _refused(unit, verb, answers.reason(answer))
        return False
    fill(unit, answer[1])
    answers.note(unit.__Name__, unit.__Unit__, verb)
    return True


def _refused(unit, verb, why):
    answers.refused(unit.__Name__, unit.__Unit__, verb, why)
