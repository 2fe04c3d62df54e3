"""The arguments of callbacks, in the order in which the documents name them.

Owns that order, and the objects that are made of travelling arguments. It calls nothing.
"""

from indigo import _call
from indigo._containers import Dict, List

# The order of each callback's arguments; all are cut to the number that the plugin's takes.
_ORDER = {
    "getDeviceConfigUiValues": "pluginProps typeId devId",
    "getActionConfigUiValues": "pluginProps typeId devId",
    "getEventConfigUiValues": "pluginProps typeId eventId",
    "getPrefsConfigUiValues": "",
    "getMenuActionConfigUiValues": "menuId",
    "getDeviceFactoryUiValues": "devIdList",
    "getDeviceConfigUiXml": "typeId devId",
    "getActionConfigUiXml": "typeId devId",
    "getEventConfigUiXml": "typeId eventId",
    "getPrefsConfigUiXml": "",
    "getMenuActionConfigUiXml": "menuId",
    "validateDeviceConfigUi": "valuesDict typeId devId",
    "validateActionConfigUi": "valuesDict typeId deviceId",
    "validateEventConfigUi": "valuesDict typeId eventId",
    "validatePrefsConfigUi": "valuesDict",
    "validateDeviceFactoryUi": "valuesDict devIdList",
    "closedDeviceConfigUi": "valuesDict userCancelled typeId devId",
    "closedActionConfigUi": "valuesDict userCancelled typeId actionId",
    "closedEventConfigUi": "valuesDict userCancelled typeId eventId",
    "closedPrefsConfigUi": "valuesDict userCancelled",
    "closedDeviceFactoryUi": "valuesDict userCancelled devIdList",
    "deviceUpdated": "origDev newDev",
    "didDeviceCommPropertyChange": "origDev newDev",
    "triggerUpdated": "origTrigger newTrigger",
    "didTriggerProcessingPropertyChange": "origTrigger newTrigger",
    "variableUpdated": "origVar newVar",
    "scheduleUpdated": "origSchedule newSchedule",
    "actionGroupUpdated": "origGroup newGroup",
    "controlPageUpdated": "origPage newPage",
    "actionControlDevice": "action dev",
    "actionControlDimmerRelay": "action dev",
    "actionControlSensor": "action dev",
    "actionControlThermostat": "action dev",
    "actionControlSprinkler": "action dev",
    "actionControlSpeedControl": "action dev",
    "actionControlIO": "action dev",
    "actionControlUniversal": "action dev",
    "actionControlGeneral": "action dev",
}

# Ids that one caller names in general and another by the kind of the object.
_SAME = ("devId", "deviceId", "eventId", "actionId", "targetId")

# Dictionaries that a user filled in: an entry "class" is nothing but an entry.
_DICTIONARIES = frozenset(("valuesDict", "pluginProps", "errorsDict"))

# Where the dictionary of a dialog is among the arguments of a named function.
_PLACES = {"button": 0, "menu": 0, "list": 1}

# How many arguments of a named function may be objects; the rest came from anybody.
_OBJECTS = {"action": 2, "http": 2}


def of_callback(name, given):
    """The arguments of a callback of the documents."""
    order = _ORDER.get(name)
    if order is None:
        return [_converted(key, value) for key, value in given.items()]
    return [_converted(key, _find(given, key)) for key in order.split()]


def _find(given, key):
    if key in given or key not in _SAME:
        return given.get(key)
    for other in _SAME:
        if other in given:
            return given[other]
    return None


def of_named(given):
    """The arguments of a function that the plugin's XML files name."""
    kind = given.get("kind")
    items = given.get("args") or []
    place = _PLACES.get(kind)
    objects = _OBJECTS.get(kind, 0)
    arguments = [
        _call.decoded(item)
        if index < objects
        else _converted("valuesDict", item)
        if index == place
        else _call.contained(item)
        for index, item in enumerate(items)
    ]
    if kind in ("action", "http"):
        # (action, dev, callerWaitingForResult, event_data)
        arguments += [None] * (3 - len(arguments))
        arguments.append(_call.contained(given.get("event_data")))
    return arguments


def _converted(key, value):
    if key in _DICTIONARIES:
        return Dict._over(value) if isinstance(value, dict) else Dict()
    if key == "devIdList":
        return List._over(value or [])
    return _call.decoded(value)
