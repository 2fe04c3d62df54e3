"""Module ``indigo``, which plugins of Indigo import, and have without importing.

Owns the names. It is part of the snapshot and holds nothing of an instance: the plugin
and the hub's facts about it are in ``_plugin``.
"""

from indigo import _call, _errors, _plugin, utils
from indigo._action import (
    BaseAction,
    DeviceAction,
    DimmerRelayAction,
    DisableScheduleAction,
    DisableTriggerAction,
    EmailAction,
    EnableScheduleAction,
    EnableTriggerAction,
    ExecuteGroupAction,
    ExecuteScriptAction,
    GeneralDeviceAction,
    InputOutputAction,
    ModifyVariableAction,
    PluginAction,
    ResetInterfacesAction,
    SendInsteonGroupCommandAction,
    SensorAction,
    SpeedControlAction,
    SprinklerAction,
    ThermostatAction,
    UniversalAction,
)
from indigo._collection import (
    actionGroups,
    controlPages,
    devices,
    schedules,
    triggers,
    variables,
)
from indigo._command import (
    actionGroup,
    controlPage,
    devStateChange,
    emailRcvd,
    insteonCmdRcvd,
    interfaceFail,
    interfaceInit,
    pluginEvent,
    powerFail,
    powerFailure,
    schedule,
    serverStartup,
    trigger,
    varValueChange,
    variable,
    x10CmdRcvd,
)
from indigo._completion import acquireCallbackCompleteHandler
from indigo._containers import Dict, List
from indigo._device import (
    Device,
    DimmerDevice,
    MultiIODevice,
    RelayDevice,
    SensorDevice,
    SpeedControlDevice,
    SprinklerDevice,
    ThermostatDevice,
)
from indigo._device_command import (
    device,
    dimmer,
    iodevice,
    relay,
    sensor,
    speedcontrol,
    sprinkler,
    thermostat,
)
from indigo._element import BaseElem
from indigo._enumerations import *  # noqa: F403
from indigo._errors import (
    ArgumentError,
    LowLevelBadParameterError,
    PluginNotFoundError,
    ServerError,
)
from indigo._objects import ActionGroup, ControlPage, Folder, Variable
from indigo._plugin_base import PluginBase
from indigo._raw import rawServerRequest
from indigo._refused import debugger, insteon, rawServerCommand, x10, zwave
from indigo._server import host, server
from indigo._trigger import (
    DeviceStateChangeTrigger,
    EmailReceivedTrigger,
    InsteonCommandReceivedTrigger,
    InterfaceFailureTrigger,
    InterfaceInitializedTrigger,
    PluginEventTrigger,
    PowerFailureTrigger,
    Schedule,
    ServerStartupTrigger,
    Trigger,
    VariableValueChangeTrigger,
    X10CommandReceivedTrigger,
)

# The name that the manual has for the base of all actions.
Action = BaseAction

# The name of an older description of the interface.
VarValueChangeTrigger = VariableValueChangeTrigger

# Python's own, which plugins name as members of this module.
IndexError, KeyError, TypeError, ValueError = IndexError, KeyError, TypeError, ValueError

Enumeration.__module__ = SubTypes.__module__ = "indigo"  # noqa: F405
for _cls in (
    Dict,
    List,
    BaseElem,
    BaseAction,
    ArgumentError,
    LowLevelBadParameterError,
    PluginNotFoundError,
    ServerError,
):
    _cls.__module__ = "indigo"
del _cls


def __getattr__(name):
    if name == "activePlugin":
        return _plugin.active
    raise AttributeError("module 'indigo' has no attribute '%s'" % name)
