"""Actions, which a plugin is asked to carry out.

Owns the classes of actions and their attributes. Actions come with callbacks and are
never sent.
"""

from indigo import _call, _enumerations as k
from indigo._containers import Dict, described, plain, stored
from indigo._element import Field, choice, dictionary, sequence


class BaseAction:
    """The attributes of all actions; they can be set, and stay here."""

    configured = True
    description = ""
    delayAmount = 0
    replaceExisting = False
    textToSpeak = ""

    _fields = ("configured", "delayAmount", "description", "replaceExisting", "textToSpeak")

    def __init__(self, **attributes):
        for name, value in attributes.items():
            setattr(self, name, value)

    @classmethod
    def _from(cls, data):
        self = object.__new__(cls)
        self.__dict__.update(data)
        return self

    def __iter__(self):
        yield "class", "indigo." + type(self).__name__
        for name in self._fields:
            yield name, plain(getattr(self, name))

    def __str__(self):
        lines = []
        for name in self._fields:
            value = getattr(self, name)
            if isinstance(value, dict):
                lines.append(name + " : " + described(value, self._title()))
            else:
                lines.append("%s : %s" % (name, value))
        return "\n".join(lines)

    __repr__ = __str__

    def _title(self):
        return getattr(self, "pluginId", None) or "Data"


def _action(*plain_fields, **typed):
    def decorate(cls):
        for name, default in plain_fields:
            setattr(cls, name, default)
        for name, kind in typed.items():
            setattr(cls, name, kind(name))
        names = set(cls._fields) | {name for name, _ in plain_fields} | set(typed)
        cls._fields = tuple(sorted(names))
        cls.__module__ = "indigo"
        _call.classes["indigo." + cls.__name__] = cls
        return cls

    return decorate


def _value(name):
    """A number, or a dictionary of the channels of a colour."""

    def read(value):
        return Dict._over(plain(value)) if type(value) is dict else value

    return Field(name, None, read, stored)


def _mode(name):
    """A member of ``kHvacMode`` or of ``kFanMode``, whose names differ."""

    def read(value):
        mode = k.kHvacMode._of(value)
        return k.kFanMode._of(mode) if isinstance(mode, str) else mode

    return Field(name, None, read, lambda value: getattr(value, "name", value))


@_action(("deviceId", 0), ("pluginId", ""), ("pluginTypeId", ""), props=dictionary)
class PluginAction(BaseAction):
    """An action that the plugin itself defines."""


@_action(
    ("deviceId", 0),
    ("complementDelay", 0),
    deviceAction=choice(k.kDeviceAction),
    actionValue=_value,
)
class DeviceAction(BaseAction):
    """For relays, dimmers and locks."""


@_action(deviceAction=choice(k.kDimmerRelayAction))
class DimmerRelayAction(DeviceAction):
    """The older name for the same."""


@_action(("deviceId", 0), sensorAction=choice(k.kSensorAction))
class SensorAction(BaseAction):
    """For sensors that can be set."""


@_action(
    ("deviceId", 0),
    thermostatAction=choice(k.kThermostatAction),
    actionMode=_mode,
    actionValue=_value,
)
class ThermostatAction(BaseAction):
    """For thermostats."""


@_action(("deviceId", 0), speedControlAction=choice(k.kSpeedControlAction), actionValue=_value)
class SpeedControlAction(BaseAction):
    """For fans and the like."""


@_action(
    ("deviceId", 0),
    ("zoneIndex", None),
    ("multiplierVarId", None),
    sprinklerAction=choice(k.kSprinklerAction),
    zoneDurations=sequence,
)
class SprinklerAction(BaseAction):
    """For sprinklers; zones count from one."""


@_action(("deviceId", 0), deviceAction=choice(k.kUniversalAction))
class UniversalAction(BaseAction):
    """For devices of every kind."""


@_action(deviceAction=choice(k.kDeviceGeneralAction))
class GeneralDeviceAction(UniversalAction):
    """The older name for the same."""


@_action(("deviceId", 0), ("index", 0), action=choice(k.kIOAction))
class InputOutputAction(BaseAction):
    """For outputs; they count from zero."""


@_action(("scheduleId", 0), ("complementDelay", 0))
class EnableScheduleAction(BaseAction):
    """Turns a schedule on."""


@_action(("scheduleId", 0), ("complementDelay", 0))
class DisableScheduleAction(BaseAction):
    """Turns a schedule off."""


@_action(("triggerId", 0), ("complementDelay", 0))
class EnableTriggerAction(BaseAction):
    """Turns a trigger on."""


@_action(("triggerId", 0), ("complementDelay", 0))
class DisableTriggerAction(BaseAction):
    """Turns a trigger off."""


@_action(("emailTo", ""), ("emailSubject", ""), ("emailBody", ""))
class EmailAction(BaseAction):
    """Sends a mail."""


@_action(("groupId", 0))
class ExecuteGroupAction(BaseAction):
    """Executes an action group."""


@_action(("scriptCode", ""))
class ExecuteScriptAction(BaseAction):
    """Runs a script."""


@_action(("variableId", 0), ("variableValue", ""), variableAction=choice(k.kVariableAction))
class ModifyVariableAction(BaseAction):
    """Changes a variable."""


@_action()
class ResetInterfacesAction(BaseAction):
    """Starts the interfaces anew."""


@_action(("group", 0), command=choice(k.kInstnGroupCommand))
class SendInsteonGroupCommandAction(BaseAction):
    """Sends a command to a group of Insteon devices."""


__all__ = [
    name
    for name, value in list(globals().items())
    if isinstance(value, type) and issubclass(value, BaseAction)
]
