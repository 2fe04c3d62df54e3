"""Triggers and schedules: the copies that plugins get.

Owns their classes and attributes. The server decides when one of them fires.
"""

from indigo import _enumerations as k
from indigo._element import BaseElem, Field, WithProps, choice, date, dictionary, element


@element(
    "triggers",
    "trigger",
    "name description enabled suppressLogging upload",
    ("id", 0),
    ("name", ""),
    ("description", ""),
    ("enabled", True),
    ("folderId", 0),
    ("remoteDisplay", True),
    ("suppressLogging", False),
    ("upload", False),
    pluginProps=dictionary,
    globalProps=dictionary,
    sharedProps=dictionary,
)
class Trigger(WithProps, BaseElem):
    """Starts actions when something happens."""


@element(
    "triggers",
    "trigger",
    "configured",
    ("pluginId", ""),
    ("pluginTypeId", ""),
    ("configured", True),
)
class PluginEventTrigger(Trigger):
    """Fired by a plugin's own event."""


def _selector(name):
    """A member of ``kStateSelector`` or the id of a state."""
    return Field(name, "", k.kStateSelector._of, lambda value: getattr(value, "name", str(value)))


@element(
    "triggers",
    "trigger",
    "deviceId stateChangeType stateSelector stateSelectorIndex stateValue",
    ("deviceId", 0),
    ("stateSelectorIndex", 0),
    ("stateValue", ""),
    stateChangeType=choice(k.kStateChange),
    stateSelector=_selector,
)
class DeviceStateChangeTrigger(Trigger):
    """Fired by a change of a device's state."""


@element(
    "triggers",
    "trigger",
    "variableId variableChangeType variableValue",
    ("variableId", 0),
    ("variableValue", ""),
    variableChangeType=choice(k.kVarChange),
)
class VariableValueChangeTrigger(Trigger):
    """Fired by a change of a variable."""


@element(
    "triggers",
    "trigger",
    "command commandSourceType deviceId buttonOrGroup",
    ("deviceId", 0),
    ("buttonOrGroup", 0),
    command=choice(k.kInsteonCmd),
    commandSourceType=choice(k.kDeviceSourceType),
)
class InsteonCommandReceivedTrigger(Trigger):
    """Fired by an Insteon command; there is no such interface here."""


@element(
    "triggers",
    "trigger",
    "command commandSourceType deviceId address avButton",
    ("deviceId", 0),
    ("address", ""),
    command=choice(k.kX10Cmd),
    commandSourceType=choice(k.kDeviceSourceType),
    avButton=choice(k.kX10AvButton),
)
class X10CommandReceivedTrigger(Trigger):
    """Fired by an X10 command; there is no such interface here."""


@element(
    "triggers",
    "trigger",
    "emailFilter emailFrom emailSubject",
    ("emailFrom", ""),
    ("emailSubject", ""),
    emailFilter=choice(k.kEmailFilter),
)
class EmailReceivedTrigger(Trigger):
    """Fired by a mail."""


@element("triggers", "trigger", "")
class ServerStartupTrigger(Trigger):
    """Fired when the server has started."""


@element("triggers", "trigger", "")
class PowerFailureTrigger(Trigger):
    """Fired when power fails; nothing reports that here."""


@element("triggers", "trigger", "")
class InterfaceFailureTrigger(Trigger):
    """Fired when an interface fails."""


@element("triggers", "trigger", "")
class InterfaceInitializedTrigger(Trigger):
    """Fired when an interface is there."""


@element(
    "schedules",
    "schedule",
    "name description enabled suppressLogging upload remoteDisplay"
    " sunDelta randomizeBy autoDelete absoluteDate absoluteTime absoluteDateTime timeType"
    " configured",
    ("id", 0),
    ("name", ""),
    ("description", ""),
    ("enabled", True),
    ("configured", True),
    ("folderId", 0),
    ("remoteDisplay", True),
    ("sunDelta", 0),
    ("randomizeBy", 0),
    ("autoDelete", False),
    ("suppressLogging", False),
    ("upload", False),
    dateType=choice(k.kDateType),
    timeType=choice(k.kTimeType),
    absoluteDate=date,
    absoluteTime=date,
    absoluteDateTime=date,
    nextExecution=date,
    pluginProps=dictionary,
    globalProps=dictionary,
    sharedProps=dictionary,
)
class Schedule(WithProps, BaseElem):
    """Starts actions at its time."""
