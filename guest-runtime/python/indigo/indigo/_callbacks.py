"""The default callbacks of a plugin.

Owns the default implementation of every callback that has one, in both styles of names:
when the communication of which object is started and stopped, and the values that a
dialog begins with. The methods are part of the base class of plugins.
"""

from indigo import _call, _collection, _lookup, _plugin
from indigo._containers import Dict


# Stands for an argument that was not given.
_OTHERWISE = object()


class Callbacks:
    """The part of the base class that the server calls."""

    # Life. The documents give neither of them a body; plugins call them with super().

    def startup(self):
        """Nothing: the plugin starts."""

    def shutdown(self):
        """Nothing."""

    def stopConcurrentThread(self):
        """Has ``self.sleep`` raise ``StopThread``, in whichever thread."""
        self.stopThread = True

    def prepareToSleep(self):
        """Stops all devices and triggers of the plugin."""
        self._each(_collection.devices, "deviceStopComm")
        self._each(_collection.triggers, "triggerStopProcessing")

    def wakeUp(self):
        """Starts them again."""
        self._each(_collection.devices, "deviceStartComm")
        self._each(_collection.triggers, "triggerStartProcessing")

    def _each(self, collection, name):
        method = _lookup.callback(self, name)
        for element in collection.iter("self"):
            if element.enabled and getattr(element, "configured", True):
                method(element)

    def _postStartup(self):
        """Nothing; some plugins call it."""

    def _preShutdown(self):
        """Nothing; some plugins call it."""

    # Devices.

    def deviceStartComm(self, dev):
        """Nothing."""

    def deviceStopComm(self, dev):
        """Nothing."""

    def deviceCreated(self, dev):
        """Starts a device of the plugin that is enabled."""
        if _runs(self, dev):
            _lookup.callback(self, "deviceStartComm")(_present(dev))

    def deviceUpdated(self, origDev, newDev):
        """Stops and starts a device of the plugin when that is needed."""
        _restart(
            self,
            origDev,
            newDev,
            "deviceTypeId",
            "didDeviceCommPropertyChange",
            "deviceStopComm",
            "deviceStartComm",
        )

    def deviceDeleted(self, dev):
        """Stops a device of the plugin."""
        if _runs(self, dev):
            _lookup.callback(self, "deviceStopComm")(_held_back.pop(dev.id, dev))

    def didDeviceCommPropertyChange(self, origDev, newDev):
        """Whether any property changed."""
        return _props(origDev) != _props(newDev)

    def getDeviceStateList(self, dev):
        """The states of Devices.xml: the very list, to be copied before it is changed."""
        kind = self.devicesTypeDict.get(dev.deviceTypeId)
        return None if kind is None else kind.setdefault("States", [])

    def getDeviceDisplayStateId(self, dev):
        """The state that Devices.xml says is shown."""
        kind = self.devicesTypeDict.get(dev.deviceTypeId)
        return None if kind is None else kind.get("DisplayStateId")

    # Triggers.

    def triggerStartProcessing(self, trigger):
        """Nothing."""

    def triggerStopProcessing(self, trigger):
        """Nothing."""

    def triggerCreated(self, trigger):
        """Starts a trigger of the plugin that is enabled."""
        if _runs(self, trigger):
            _lookup.callback(self, "triggerStartProcessing")(_present(trigger))

    def triggerUpdated(self, origTrigger, newTrigger):
        """Stops and starts a trigger of the plugin when that is needed."""
        _restart(
            self,
            origTrigger,
            newTrigger,
            "pluginTypeId",
            "didTriggerProcessingPropertyChange",
            "triggerStopProcessing",
            "triggerStartProcessing",
        )

    def triggerDeleted(self, trigger):
        """Stops a trigger of the plugin."""
        if _runs(self, trigger):
            _lookup.callback(self, "triggerStopProcessing")(_held_back.pop(trigger.id, trigger))

    def didTriggerProcessingPropertyChange(self, origTrigger, newTrigger):
        """Whether any property changed."""
        return _props(origTrigger) != _props(newTrigger)

    # Other objects: nothing happens by itself.

    def variableCreated(self, var):
        """Nothing."""

    def variableUpdated(self, origVar, newVar):
        """Nothing."""

    def variableDeleted(self, var):
        """Nothing."""

    def scheduleCreated(self, schedule):
        """Nothing."""

    def scheduleUpdated(self, origSchedule, newSchedule):
        """Nothing."""

    def scheduleDeleted(self, schedule):
        """Nothing."""

    def actionGroupCreated(self, group):
        """Nothing."""

    def actionGroupUpdated(self, origGroup, newGroup):
        """Nothing."""

    def actionGroupDeleted(self, group):
        """Nothing."""

    def controlPageCreated(self, page):
        """Nothing."""

    def controlPageUpdated(self, origPage, newPage):
        """Nothing."""

    def controlPageDeleted(self, page):
        """Nothing."""

    # Dialogs: their first values, whether they are fine, that they were closed.

    def getDeviceConfigUiValues(self, pluginProps, typeId, devId):
        return (pluginProps, Dict())

    def getActionConfigUiValues(self, pluginProps, typeId, devId):
        return (pluginProps, Dict())

    def getEventConfigUiValues(self, pluginProps, typeId, eventId):
        return (pluginProps, Dict())

    def getPrefsConfigUiValues(self):
        return (self.pluginPrefs, Dict())

    def getMenuActionConfigUiValues(self, menuId):
        return (Dict(), Dict())

    def getDeviceFactoryUiValues(self, devIdList):
        return (Dict(), Dict())

    def getDeviceConfigUiXml(self, typeId, devId):
        return _xml(self.devicesTypeDict, typeId)

    def getActionConfigUiXml(self, typeId, devId):
        return _xml(self.actionsTypeDict, typeId)

    def getEventConfigUiXml(self, typeId, eventId):
        return _xml(self.eventsTypeDict, typeId)

    def getPrefsConfigUiXml(self):
        return _plugin.definitions().get("prefsConfigUIRawXml")

    def getMenuActionConfigUiXml(self, menuId):
        for item in self.menuItemsList:
            if item.get("Id") == menuId:
                return item.get("ConfigUIRawXml")
        return None

    def validateDeviceConfigUi(self, valuesDict, typeId, devId):
        return (True, valuesDict)

    def validateActionConfigUi(self, valuesDict, typeId, deviceId):
        return (True, valuesDict)

    def validateEventConfigUi(self, valuesDict, typeId, eventId):
        return (True, valuesDict)

    def validatePrefsConfigUi(self, valuesDict):
        return (True, valuesDict)

    def validateDeviceFactoryUi(self, valuesDict, devIdList):
        return (True, valuesDict)

    def closedDeviceConfigUi(self, valuesDict, userCancelled, typeId, devId):
        """Nothing."""

    def closedActionConfigUi(self, valuesDict, userCancelled, typeId, actionId):
        """Nothing."""

    def closedEventConfigUi(self, valuesDict, userCancelled, typeId, eventId):
        """Nothing."""

    def closedPrefsConfigUi(self, valuesDict, userCancelled):
        """Nothing."""

    def closedDeviceFactoryUi(self, valuesDict, userCancelled, devIdList):
        """Nothing."""


def _runs(plugin, element):
    """Whether an object is the plugin's and started."""
    return (
        getattr(element, "pluginId", None) == plugin.pluginId
        and bool(element.enabled)
        and bool(getattr(element, "configured", True))
    )


def _props(element):
    return element.__dict__.get("pluginProps") or {}


def _restart(plugin, before, after, kind, changed, stop, start):
    """Stops and starts an object where its state before and now asks for it."""
    ran, runs = _runs(plugin, before), _runs(plugin, after)
    if ran and runs:
        if getattr(before, kind) == getattr(after, kind) and not _lookup.callback(plugin, changed)(
            before, after
        ):
            return
        if not _may_restart(before):
            return
    if ran:
        _lookup.callback(plugin, stop)(_held_back.pop(before.id, before))
    if runs:
        _lookup.callback(plugin, start)(_present(after))


# Objects that were changed so often that they are restarted later, as they were when they
# were started last.
_held_back = {}


def _may_restart(before):
    """Whether an object may be stopped and started now. The server calls
    `restart_held_back` later where it may not."""
    if before.id in _held_back:
        return False
    if _call.command("server.mayRestart", {"id": before.id}):
        return True
    _held_back[before.id] = before
    return False


def restart_held_back(plugin, number):
    """Stops and starts an object that was held back, as it is now."""
    before = _held_back.pop(number, None)
    if before is None:
        return
    stop, start = ("deviceStopComm", "deviceStartComm")
    if before._namespace == "trigger":
        stop, start = ("triggerStopProcessing", "triggerStartProcessing")
    _lookup.callback(plugin, stop)(before)
    after = _present(before, None)
    if after is not None and _runs(plugin, after):
        _lookup.callback(plugin, start)(after)


def forget_held_back():
    """Begins a life of the plugin."""
    _held_back.clear()


def _present(element, otherwise=_OTHERWISE):
    """The object as it is now: it may have changed since the call was queued, and a plugin
    that writes back a property of an old copy would undo that change.

    The copy itself, or ``otherwise``, where it is deleted."""
    try:
        return _call.decoded(_call.command(element._collection + ".get", {"id": element.id}))
    except KeyError:
        return element if otherwise is _OTHERWISE else otherwise


def _xml(definitions, typeId):
    return (definitions.get(typeId) or {}).get("ConfigUIRawXml")


def _add_snake_case(cls):
    """Every default under its other name too: plugins call those with super()."""
    for name in [name for name in vars(cls) if not name.startswith("_")]:
        other = _lookup.snake_case(name)
        if other != name:
            setattr(cls, other, vars(cls)[name])


_add_snake_case(Callbacks)
