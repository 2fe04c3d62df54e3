"""The enumerations ``indigo.k...``.

Owns their names, members and numbers. A member is an int whose text is its name;
the manual gives no numbers, so these are Cordon's own. Members of all enumerations
of actions share one numbering by name, because plugins compare members of one of
them with those of another. Sub types are plain text. Nothing here knows the server.
"""


class _Kind(type):
    """The class of an enumeration: iterable, and asked for a member by name or number."""

    def __iter__(cls):
        return iter(cls.values.values())

    def __len__(cls):
        return len(cls.values)

    def __contains__(cls, value):
        return value in cls.values if isinstance(value, int) else value in cls.names

    def __repr__(cls):
        return "indigo." + cls.__name__


class Enumeration(int, metaclass=_Kind):
    """A member: an int with a name."""

    # Every member by its name, aliases too, and by its number.
    names = {}
    values = {}

    def __new__(cls, value):
        try:
            return cls.values[value]
        except (KeyError, TypeError):
            raise ValueError("%r is no member of indigo.%s" % (value, cls.__name__)) from None

    def __str__(self):
        return self.name

    def __repr__(self):
        return "indigo.%s.%s" % (type(self).__name__, self.name)

    def __format__(self, specification):
        if specification[-1:] in "bcdeEfFgGnoxX%" and specification:
            return int.__format__(self, specification)
        return format(self.name, specification)

    def __reduce__(self):
        return (type(self), (int(self),))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    @classmethod
    def _of(cls, value):
        """The member for a name, or for a number; anything else stays as it is."""
        if isinstance(value, str):
            return cls.names.get(value, value)
        if type(value) is int:
            return cls.values.get(value, value)
        return value


class SubTypes:
    """A set of sub types: attributes that are text."""


def _enumeration(name, members, numbers=None, aliases=()):
    kind = _Kind(name, (Enumeration,), {"names": {}, "values": {}, "__module__": "indigo"})
    for position, member in enumerate(members.split()):
        number = position if numbers is None else numbers.setdefault(member, len(numbers) + 1)
        _add(kind, member, number)
    for alias, member in aliases:
        kind.names[alias] = kind.names[member]
        setattr(kind, alias, kind.names[member])
    return kind


def _add(kind, name, number):
    member = int.__new__(kind, number)
    member.name = name
    kind.names[name] = kind.values[number] = member
    # `None` among them: plugins ask for it with getattr.
    setattr(kind, name, member)


# Numbers of members of enumerations of actions, by name.
_actions = {}

_ON_OFF = (("On", "TurnOn"), ("Off", "TurnOff"))

_DEVICE = (
    "TurnOn TurnOff Toggle SetBrightness BrightenBy DimBy SetColorLevels AllOff AllLightsOn"
    " AllLightsOff"
)
_UNIVERSAL = "Beep EnergyUpdate EnergyReset RequestStatus"
_CHANGES = (
    "BecomesTrue BecomesFalse BecomesEqual BecomesNotEqual BecomesGreaterThan BecomesLessThan"
    " Changes"
)

# The images of devices. The manual has no icon yet for `Error` and those after it.
_IMAGES = (
    "Auto NoImage PowerOff PowerOn DimmerOff DimmerOn FanOff FanLow FanMedium FanHigh SprinklerOff"
    " SprinklerOn HvacOff HvacHeatMode HvacCoolMode HvacAutoMode HvacFanOn HvacHeating HvacCooling"
    " SensorOff SensorOn SensorTripped MotionSensor MotionSensorTripped DoorSensorClosed"
    " DoorSensorOpened WindowSensorClosed WindowSensorOpened LightSensor LightSensorOn"
    " TemperatureSensor TemperatureSensorOn HumiditySensor HumiditySensorOn HumidifierOff"
    " HumidifierOn DehumidifierOff DehumidifierOn EnergyMeterOff EnergyMeterOn Locked Unlocked"
    " Opened Closed TimerOff TimerOn AvStopped AvPaused AvPlaying"
    " Error Custom BatteryCharger BatteryChargerOn BatteryLevel BatteryLevelLow BatteryLevel25"
    " BatteryLevel50 BatteryLevel75 BatteryLevelHigh WindSpeedSensor WindSpeedSensorLow"
    " WindSpeedSensorMedium WindSpeedSensorHigh WindDirectionSensor WindDirectionSensorNorth"
    " WindDirectionSensorNorthEast WindDirectionSensorEast WindDirectionSensorSouthEast"
    " WindDirectionSensorSouth WindDirectionSensorSouthWest WindDirectionSensorWest"
    " WindDirectionSensorNorthWest"
)
_SELECTORS = (
    "ActiveZone AnalogInput AnalogInputsAll BinaryInput BinaryInputsAll BinaryOutput"
    " BinaryOutputsAll BrightnessLevel HumidityInput HumidityInputsAll HvacCoolerIsOn HvacFanIsOn"
    " HvacFanMode HvacFanModeIsAlwaysOn HvacFanModeIsAuto HvacHeaterIsOn HvacOperationMode"
    " HvacOperationModeIsAuto HvacOperationModeIsCool HvacOperationModeIsHeat"
    " HvacOperationModeIsOff HvacOperationModeIsProgramAuto HvacOperationModeIsProgramCool"
    " HvacOperationModeIsProgramHeat KeypadButtonLed OnOffState SensorInput SensorInputsAll"
    " SetpointCool SetpointHeat TemperatureInput TemperatureInputsAll Zone"
)

# Name, members, whether actions, aliases.
_TABLE = (
    ("kProtocol", "Insteon X10 ZWave Plugin", False, ()),
    ("kDeviceAction", _DEVICE + " Lock Unlock Open Close " + _UNIVERSAL, True, _ON_OFF),
    ("kDimmerRelayAction", _DEVICE + " Lock Unlock RequestStatus", True, _ON_OFF),
    ("kUniversalAction", _UNIVERSAL, True, ()),
    ("kDeviceGeneralAction", _UNIVERSAL, True, ()),
    ("kSensorAction", "TurnOn TurnOff Toggle RequestStatus", True, _ON_OFF),
    (
        "kThermostatAction",
        "SetHvacMode SetFanMode SetCoolSetpoint SetHeatSetpoint IncreaseCoolSetpoint"
        " IncreaseHeatSetpoint DecreaseCoolSetpoint DecreaseHeatSetpoint RequestStatusAll RequestMode"
        " RequestEquipmentState RequestTemperatures RequestHumidities RequestDeadbands"
        " RequestSetpoints",
        True,
        (),
    ),
    (
        "kSprinklerAction",
        "RunNewSchedule RunPreviousSchedule PauseSchedule ResumeSchedule StopSchedule PreviousZone"
        " NextZone ZoneOn AllZonesOff RequestStatusAll",
        True,
        (),
    ),
    (
        "kSpeedControlAction",
        "TurnOn TurnOff Toggle SetSpeedLevel SetSpeedIndex IncreaseSpeedIndex DecreaseSpeedIndex"
        " RequestStatus",
        True,
        _ON_OFF,
    ),
    (
        "kIOAction",
        "TurnOnOutput TurnOffOutput TurnOffAllOutputs RequestStatusAll RequestAnalogInputValues"
        " RequestBinaryInputsStatus RequestBinaryOutputsStatus RequestSensorInputValues",
        True,
        (("TurnOn", "TurnOnOutput"), ("TurnOff", "TurnOffOutput")),
    ),
    ("kVariableAction", "SetValue IncrementValue DecrementValue", True, ()),
    ("kHvacMode", "Off Heat Cool HeatCool ProgramHeat ProgramCool ProgramHeatCool", False, ()),
    ("kFanMode", "Auto AlwaysOn", False, ()),
    ("kStateImageSel", _IMAGES, False, (("None", "NoImage"),)),
    (
        "kAllDeviceSel",
        "All Insteon X10 ZWave " + " ".join("HouseCode" + letter for letter in "ABCDEFGHIJKLMNOP"),
        False,
        (),
    ),
    ("kStateChange", _CHANGES, False, ()),
    ("kVarChange", _CHANGES, False, ()),
    ("kStateSelector", _SELECTORS, False, ()),
    (
        "kTriggerKeyType",
        "Label BoolTrueFalse BoolOnOff BoolYesNo BoolOneZero Number Integer Real String Compound"
        " Enumeration Separator",
        False,
        (),
    ),
    ("kDateType", "Absolute EveryDay DaysOfWeek DaysOfMonth DaysOfMonthInterval", False, ()),
    ("kTimeType", "Absolute Countdown Sunrise Sunset", False, ()),
    (
        "kDeviceSourceType",
        "NoDevice DeviceId AnyDevice RawAddress",
        False,
        (("Device", "DeviceId"), ("AnyAddress", "AnyDevice"), ("Address", "RawAddress")),
    ),
    ("kInterface", "All InsteonX10 X10RF Plugin", False, ()),
    ("kEmailFilter", "AnyEmail MatchEmailFields", False, ()),
    ("kLicenseStatus", "Unknown ActiveTrial ActiveSubscription ExpiredSubscription", False, ()),
    (
        "kInsteonCmd",
        "On InstantOn Off InstantOff Brighten Dim AllBrighten AllDim AllInstantOff AllInstantOn AllOff"
        " AllOn AnyCommand StatusChanged",
        False,
        (),
    ),
    (
        "kX10Cmd",
        "On Off Brighten Dim PresetDim ExtendedData AllOff AllLightsOn AllLightsOff StatusRequest"
        " AvButtonPressed AnyCommand StatusOffResponse StatusOnResponse",
        False,
        (),
    ),
    (
        "kX10AvButton",
        "Power Mute VolumeUp VolumeDown ChannelUp ChannelDown Play Pause Stop Record Rewind"
        " Forward Menu Enter Exit Up Down Left Right 0 1 2 3 4 5 6 7 8 9 AB Display PC Recall Return"
        " Title",
        False,
        (("FastForward", "Forward"),),
    ),
    ("kInstnGroupCommand", "InstantOn InstantOff On Off", False, ()),
    ("kElemTypeId", "Device Trigger Schedule ActionGroup ControlPage Variable Folder", False, ()),
    ("kSubAtomicTypeId", "Unknown", False, ()),
    ("kProgressDescType", "Unknown", False, ()),
    ("kAcctCommResult", "Unknown", False, ()),
    ("kDeprecatedTypeId", "Unknown", False, ()),
)

# Their values are text, to which plugins append such as ",ui=Lamp module".
_SUB_TYPES = (
    (
        "kDeviceSubType",
        "AlarmSystem Amplifier Automobile Camera Keypad Mobile Other Remote Robot Security Speaker"
        " Streaming Television Weather",
    ),
    (
        "kDimmerDeviceSubType",
        "Blind Bulb ColorBulb ColorDimmer Dimmer Fan InLine Outlet PlugIn Plugin Valve Value",
    ),
    (
        "kRelayDeviceSubType",
        "DoorBell DoorController GarageController InLine Lock Outlet PlugIn Plugin Siren Switch",
    ),
    (
        "kSensorDeviceSubType",
        "Analog Binary CO DoorWindow GasLeak GlassBreak Humidity Illuminance Motion Presence Pressure"
        " Smoke Tamper Temperature UV Vibration Voltage WaterLeak Zone",
    ),
)

# Names that the manual misspells.
_SAME = {"Plugin": "PlugIn", "Value": "Valve"}

# The modes of a debugger that this host does not offer.
kPluginDebugMode_none = 0
kPluginDebugMode_debugPdb = 1
kPluginDebugMode_debugPudb = 2
kPluginDebugMode_debugPyCharm = 3


def _sub_types(name, members):
    values = {member: _SAME.get(member, member) for member in members.split()}
    return type(name, (SubTypes,), dict(values, __module__="indigo"))


__all__ = [
    "Enumeration",
    "SubTypes",
    "kPluginDebugMode_none",
    "kPluginDebugMode_debugPdb",
    "kPluginDebugMode_debugPudb",
    "kPluginDebugMode_debugPyCharm",
]
for _name, _members, _of_actions, _aliases in _TABLE:
    globals()[_name] = _enumeration(_name, _members, _actions if _of_actions else None, _aliases)
    __all__.append(_name)
for _name, _members in _SUB_TYPES:
    globals()[_name] = _sub_types(_name, _members)
    __all__.append(_name)
