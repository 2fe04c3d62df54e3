import threading


class Plugin(indigo.PluginBase):
    def same(self, what, value, expected):
        if value != expected:
            self.logger.error("FAIL %s: %r instead of %r", what, value, expected)

    def raises(self, kind, function, *arguments, text="", **keywords):
        try:
            function(*arguments, **keywords)
        except kind as error:
            if text not in str(error):
                self.logger.error("FAIL %s says %s", function, error)
        except Exception as error:
            self.logger.error("FAIL %s raised %r, not %s", function, error, kind.__name__)
        else:
            self.logger.error("FAIL %s did not raise %s", function, kind.__name__)

    def startup(self):
        self.start = threading.Event()
        self.seen = []
        self.make("lamp", "relay", props={"a": 1})

    def make(self, name, kind, **keywords):
        return indigo.device.create(indigo.kProtocol.Plugin, name=name, deviceTypeId=kind, **keywords)

    def go(self, action):
        self.start.set()

    def told(self, action, dev, waiting, event_data=None):
        self.seen.append((action, dev, event_data))

    def wait_for(self, count):
        for _ in range(1000):
            if len(self.seen) >= count:
                return
            self.sleep(0.01)

    def runConcurrentThread(self):
        self.logger.info("ready")
        self.start.wait()
        for part in ("devices", "methods", "variables", "triggers", "schedules", "groups", "pages", "folders", "errors"):
            try:
                getattr(self, part)()
            except Exception:
                self.logger.exception("FAIL in %s", part)
            self.logger.info("checked " + part)
        self.logger.info("all checks are done")
        self.sleep(600)

    def devices(self):
        command = indigo.device
        lamp = indigo.devices["lamp"]
        folder = indigo.devices.folder.create("rooms")
        made = self.make("made", "dimmer", description="notes", address="A1", folder=folder, groupWithDevice=lamp)
        self.same("created", (type(made), made.description, made.address, made.folderId), (indigo.DimmerDevice, "notes", "A1", folder.id))
        self.same("group", command.getGroupList(made).to_list(), [lamp.id, made.id])
        self.same("group type", type(command.getGroupList(lamp.id)), indigo.List)
        self.same("ungrouped", command.ungroupDevice(made), None)
        self.same("alone", command.getGroupList("made").to_list(), [made.id])
        self.same("grouped", command.groupWithDevice(made, lamp), None)
        self.same("again", command.getGroupList(made).to_list(), [lamp.id, made.id])
        copy = command.duplicate(made, duplicateName="copy")
        self.same("duplicate", (type(copy), copy.name, copy.address, copy.id != made.id), (indigo.DimmerDevice, "copy", "A1", True))
        self.same("named", command.duplicate(copy.id).name, "copy copy")
        self.same("enable", (command.enable(made.id, False), indigo.devices["made"].enabled), (None, False))
        self.same("enabled", (command.enable(made, value=True), indigo.devices["made"].enabled), (None, True))
        self.same("move", (command.moveToFolder(made, value=0), indigo.devices["made"].folderId), (None, 0))
        self.same("move back", (command.moveToFolder(made.id, value=folder.id), indigo.devices["made"].folderId), (None, folder.id))
        self.same("as in a sample", (command.setFolder(made, 0), indigo.devices["made"].folderId), (None, 0))
        self.same("hide", (command.displayInRemoteUI(made.id, False), indigo.devices["made"].remoteDisplay), (None, False))
        ping = command.ping(lamp, suppressLogging=True)
        self.same("ping", (type(ping), ping["Success"], type(ping["TimeDelta"])), (indigo.Dict, True, int))
        changed = command.changeDeviceTypeId(copy, "relay")
        self.same("changed", (type(changed), changed.deviceTypeId, type(indigo.devices["copy"])), (indigo.RelayDevice, "relay", indigo.RelayDevice))
        dependencies = command.getDependencies(lamp)
        self.same("dependencies", (type(dependencies), sorted(dependencies.keys())),
                  (indigo.Dict, ["actionGroups", "controlPages", "devices", "schedules", "triggers", "variables"]))
        group, schedule = indigo.actionGroups["group"], indigo.schedules["schedule"]
        self.same("in a step", [dict(it) for it in dependencies["actionGroups"]], [{"ID": group.id, "Name": "group"}])
        self.same("in a condition", [it["ID"] for it in dependencies["schedules"]], [schedule.id])
        for all_of in (command.allOff, indigo.dimmer.allLightsOn, indigo.dimmer.allLightsOff):
            self.same("nothing of a plugin", (all_of(), all_of(indigo.kAllDeviceSel.Insteon)), (None, None))
        self.same("forgotten", (command.removeDelayedActions(lamp), command.removeDelayedActions()), (None, None))
        for name in ("copy", "copy copy"):
            self.same("delete", (command.delete(name), name in indigo.devices), (None, False))
        self.raises(NotImplementedError, indigo.relay.setLedState, lamp, index=0, value=True)
        self.raises(NotImplementedError, indigo.dimmer.setLedState, made, index=0, value=True)

    def methods(self):
        lamp = indigo.devices["lamp"]
        for done in (lamp.updateStateOnServer("onOffState", True), lamp.updateStateOnServer(key="onOffState", value=False, uiValue="dark"),
                     lamp.updateStatesOnServer([{"key": "onOffState", "value": True, "uiValue": "bright", "decimalPlaces": 0,
                                                 "clearErrorState": False, "triggerEvents": False}]),
                     lamp.updateStateImageOnServer(indigo.kStateImageSel.PowerOn), lamp.setErrorStateOnServer("lost"),
                     lamp.updateTimeStampOnServer(), lamp.stateListOrDisplayStateIdChanged(), lamp.refreshFromServer(),
                     lamp.replacePluginPropsOnServer({"b": 2}), lamp.replaceSharedPropsOnServer({"c": [3]}), lamp.replaceOnServer()):
            self.same("result", done, None)
        fetched = indigo.devices["lamp"]
        for dev in (lamp, fetched):
            self.same("written", (dev.onState, dev.states["onOffState.ui"], dev.errorState, dev.displayStateImageSel, dev.displayStateValUi if dev is fetched else "lost",
                                  dev.pluginProps.to_dict(), dev.sharedProps.to_dict()),
                      (True, "bright", "lost", indigo.kStateImageSel.PowerOn, "lost", {"b": 2}, {"c": [3]}))
        lamp.replacePluginPropsOnServer(None)
        lamp.replaceSharedPropsOnServer(indigo.Dict())
        lamp.setErrorStateOnServer(None)
        fetched.refreshFromServer(waitUntilServerIdle=True)
        self.same("dropped", (fetched.pluginProps.to_dict(), fetched.sharedProps.to_dict(), fetched.errorState, fetched.displayStateValUi), ({}, {}, "", "bright"))
        props = fetched.pluginProps
        props.update({"address": "F7", "version": "2"})
        fetched.replacePluginPropsOnServer(props)
        fetched.refreshFromServer()
        self.same("address", (fetched.address, fetched.version), ("F7", "2"))

        # States alone: the plugin has no method for it and is not asked.
        spot = self.make("spot", "dimmer", props={"SupportsColor": True, "SupportsRGB": True})
        for command, expected in ((lambda: indigo.device.turnOn(spot, updateStatesOnly=True), (True, 100)),
                                  (lambda: indigo.dimmer.setBrightness(spot, value=40, updateStatesOnly=True), (True, 40)),
                                  (lambda: indigo.dimmer.dim(spot, by=50, updateStatesOnly=True), (False, 0)),
                                  (lambda: indigo.dimmer.brighten(spot, by=5, updateStatesOnly=True), (True, 5)),
                                  (lambda: indigo.device.toggle(spot, updateStatesOnly=True), (False, 0)),
                                  (lambda: indigo.dimmer.setColorLevels(spot, redLevel=7, updateStatesOnly=True), (False, 0))):
            self.same("states only", command(), None)
            spot.refreshFromServer()
            self.same("states only", (spot.onState, spot.brightness), expected)
        self.same("colour", (spot.redLevel, spot.blueLevel), (7, 0))
        self.raises(ValueError, indigo.dimmer.setColorLevels, spot, whiteLevel=7, updateStatesOnly=True, text="not defined")

    def variables(self):
        command = indigo.variable
        made = command.create("fooName", "fooMonster")
        self.same("made", (type(made), made.value, made.folderId, made.readOnly, made.remoteDisplay), (indigo.Variable, "fooMonster", 0, False, True))
        self.same("empty", command.create("nothing").value, "")
        self.same("update", (command.updateValue(made, "asleep789"), made.value), (None, "fooMonster"))
        made.refreshFromServer()
        self.same("refreshed", made.value, "asleep789")
        made.name, made.value = "goodName2", "searching"
        made.replaceOnServer()
        self.same("replaced", indigo.variables["goodName2"].value, "searching")
        self.same("duplicate", command.duplicate(made, duplicateName="twin").value, "searching")
        folder = indigo.variables.folder.create("box")
        self.same("moved", (command.moveToFolder(made, value=folder.id), indigo.variables[made.id].folderId), (None, folder.id))
        self.same("hidden", (command.displayInRemoteUI(made, value=False), indigo.variables[made.id].remoteDisplay), (None, False))
        armed = command.getDependencies("armed")
        self.same("dependencies", ([it["Name"] for it in armed["actionGroups"]], len(armed["triggers"])), (["group"], 0))
        made.replaceSharedPropsOnServer({"x": 1})
        self.same("shared", indigo.variables[made.id].sharedProps["x"], 1)
        for text, kind, value in (("2.6", int, 3), ("2.5", float, 2.5), ("ON", bool, True), ("0", bool, False), ("maybe", bool, False), ("maybe", int, 0), ("x", float, 0.0)):
            command.updateValue(made, value=text)
            self.same("as %s" % kind, indigo.variables[made.id].getValue(kind), value)
        self.same("default", (indigo.variables[made.id].getValue(int, default=10), indigo.variables[made.id].getValue(bool, default=True)), (10, True))
        self.same("deleted", (command.delete(made), made.id in indigo.variables), (None, False))

    def triggers(self):
        command = indigo.trigger
        lamp = indigo.devices["lamp"]
        made = {
            "DeviceStateChangeTrigger": indigo.devStateChange.create(name="t1", deviceId=lamp, stateSelector="onOffState", stateChangeType=indigo.kStateChange.BecomesTrue),
            "VariableValueChangeTrigger": indigo.varValueChange.create(name="t2", variableId="armed", variableChangeType=indigo.kVarChange.BecomesEqual, variableValue="x"),
            "PluginEventTrigger": indigo.pluginEvent.create(name="t3", pluginId=self.pluginId, pluginTypeId="rang", props={"p": 1}),
            "EmailReceivedTrigger": indigo.emailRcvd.create(name="t4", emailFilter=indigo.kEmailFilter.MatchEmailFields, emailFrom="a", emailSubject="b"),
            "ServerStartupTrigger": indigo.serverStartup.create(name="t5"),
            "PowerFailureTrigger": indigo.powerFail.create(name="t6"),
            "InterfaceFailureTrigger": indigo.interfaceFail.create(name="t7"),
            "InterfaceInitializedTrigger": indigo.interfaceInit.create(name="t8"),
            "InsteonCommandReceivedTrigger": indigo.insteonCmdRcvd.create(name="t9", command=indigo.kInsteonCmd.On),
            "X10CommandReceivedTrigger": indigo.x10CmdRcvd.create(name="t10", command=indigo.kX10Cmd.Off, address="A1"),
        }
        for name, trigger in made.items():
            self.same("class", (type(trigger), isinstance(trigger, indigo.Trigger), trigger.enabled, trigger.upload), (getattr(indigo, name), True, True, False))
        for space, name in (("devStateChange", "t1"), ("varValueChange", "t2"), ("pluginEvent", "t3"), ("emailRcvd", "t4"), ("serverStartup", "t5"),
                            ("powerFail", "t6"), ("interfaceFail", "t7"), ("interfaceInit", "t8"), ("insteonCmdRcvd", "t9"), ("x10CmdRcvd", "t10")):
            self.same("filter", [it.name for it in indigo.triggers.iter("indigo." + space)], [name])
        first = made["DeviceStateChangeTrigger"]
        self.same("fields", (first.deviceId, first.stateSelector, first.stateChangeType), (lamp.id, "onOffState", indigo.kStateChange.BecomesTrue))
        email = indigo.triggers["t4"]
        self.same("mail", (email.emailFilter, email.emailFrom, email.emailSubject), (indigo.kEmailFilter.MatchEmailFields, "a", "b"))
        first.deviceId, first.stateChangeType, first.stateSelector = lamp.id, indigo.kStateChange.BecomesGreaterThan, indigo.kStateSelector.TemperatureInput
        first.stateSelectorIndex, first.stateValue = 1, 80
        first.replaceOnServer()
        first.refreshFromServer()
        self.same("as the manual makes one", (first.stateChangeType, first.stateSelector, first.stateSelectorIndex, first.stateValue),
                  (indigo.kStateChange.BecomesGreaterThan, indigo.kStateSelector.TemperatureInput, 1, "80"))
        event = made["PluginEventTrigger"]
        event.replacePluginPropsOnServer({"p": 2})
        self.same("props", (event.pluginId, event.pluginTypeId, indigo.triggers["t3"].pluginProps["p"]), (self.pluginId, "rang", 2))
        event.name, event.description, event.enabled, event.suppressLogging = "t3b", "d", False, True
        event.replaceOnServer()
        event.refreshFromServer()
        self.same("replaced", (event.name, event.description, event.enabled, event.suppressLogging), ("t3b", "d", False, True))
        self.same("enable", (command.enable(event, value=True), indigo.triggers["t3b"].enabled), (None, True))
        command.enable(event, value=False, duration=0.05)
        for _ in range(1000):
            if indigo.triggers["t3b"].enabled:
                break
            self.sleep(0.01)
        self.same("enabled again", indigo.triggers["t3b"].enabled, True)
        self.same("duplicate", (type(command.duplicate(event, duplicateName="t3c")), "t3c" in indigo.triggers), (indigo.PluginEventTrigger, True))
        folder = indigo.triggers.folder.create("box")
        self.same("moved", (command.moveToFolder(event, value=folder), indigo.triggers["t3b"].folderId), (None, folder.id))
        self.same("hidden", (command.displayInRemoteUI(event, value=False), indigo.triggers["t3b"].remoteDisplay), (None, False))
        self.same("dependencies", type(command.getDependencies(event)), indigo.Dict)
        self.same("named by", [it["Name"] for it in indigo.device.getDependencies(lamp)["triggers"]], ["t1"])
        self.same("executed", (command.execute(event), command.execute(event, ignoreConditions=True, trigger_data={"a": 1}), command.removeDelayedActions(event)), (None,) * 3)
        for name in [it.name for it in indigo.triggers]:
            self.same("deleted", (command.delete(name), name in indigo.triggers), (None, False))

    def schedules(self):
        command = indigo.schedule
        schedule = indigo.schedules["schedule"]
        self.same("class", (type(schedule), schedule.dateType, schedule.timeType, schedule.absoluteTime.hour, schedule.pluginProps.to_dict()),
                  (indigo.Schedule, indigo.kDateType.EveryDay, indigo.kTimeType.Absolute, 3, {}))
        indigo.devices["lamp"].updateStateOnServer("onOffState", False)
        self.seen = []
        self.same("held back", command.execute(schedule), None)
        self.same("anyway", command.execute(schedule.id, ignoreConditions=True, schedule_data={"why": "so"}), None)
        self.wait_for(1)
        self.same("executed", [(data["why"], data["source"], data["event-type"]) for action, dev, data in self.seen], [("so", "python", "Schedule")])
        self.same("forgotten", command.removeDelayedActions(schedule), None)
        schedule.description, schedule.sunDelta, schedule.randomizeBy, schedule.autoDelete = "d", 60, 5, False
        schedule.replaceOnServer()
        schedule.replaceSharedPropsOnServer({"x": 1})
        fetched = indigo.schedules["schedule"]
        self.same("replaced", (fetched.description, fetched.sunDelta, fetched.randomizeBy, fetched.sharedProps["x"]), ("d", 60, 5, 1))
        self.same("disabled", (command.enable(schedule, value=False), indigo.schedules["schedule"].enabled), (None, False))
        self.same("duplicate", (type(command.duplicate(schedule, duplicateName="other")), len(indigo.schedules)), (indigo.Schedule, 2))
        folder = indigo.schedules.folder.create("box")
        self.same("moved", (command.moveToFolder("other", value=folder), indigo.schedules["other"].folderId), (None, folder.id))
        self.same("hidden", (command.displayInRemoteUI("other", value=False), indigo.schedules["other"].remoteDisplay), (None, False))
        self.same("dependencies", len(command.getDependencies("other").keys()), 6)
        self.same("deleted", (command.delete("other"), "other" in indigo.schedules), (None, False))

    def groups(self):
        command = indigo.actionGroup
        group = indigo.actionGroups["group"]
        self.same("class", (type(group), group.description, group.remoteDisplay), (indigo.ActionGroup, "", True))
        self.seen = []
        self.same("executed", (command.execute(group), command.execute(group.id, event_data={"why": "so", "source": "mine"})), (None, None))
        self.wait_for(2)
        (action, dev, data), (_, _, more) = self.seen
        self.same("action", (type(action), action.pluginId, action.pluginTypeId, action.deviceId, action.props.to_dict(), action.configured, action.delayAmount,
                             action.replaceExisting, action.textToSpeak),
                  (indigo.PluginAction, self.pluginId, "told", dev.id, {"a": [1, {"b": 2}]}, True, 0, False, ""))
        self.same("device", dev.name, "lamp")
        self.same("data", (data["source"], data["event-type"], data["event-indigo-id"], more["source"], more["why"]), ("python", "ActionGroup", group.id, "mine", "so"))
        for _ in range(1000):
            if indigo.variables["armed"].value == "done":
                break
            self.sleep(0.01)
        self.same("the second step", indigo.variables["armed"].value, "done")
        self.same("switched off", (command.enable(group, value=False), command.execute(group), command.enable(group, value=True)), (None,) * 3)
        copy = command.duplicate(group, duplicateName="copy")
        self.same("duplicate", type(copy), indigo.ActionGroup)
        copy.description = "d"
        copy.replaceOnServer()
        copy.replaceSharedPropsOnServer({"x": 1})
        folder = indigo.actionGroups.folder.create("box")
        self.same("moved", (command.moveToFolder(copy, value=folder), command.displayInRemoteUI(copy, value=False), command.removeDelayedActions(copy)), (None,) * 3)
        copy.refreshFromServer()
        self.same("copy", (copy.folderId, copy.remoteDisplay, copy.description, copy.sharedProps["x"]), (folder.id, False, "d", 1))
        self.same("dependencies", [it["Name"] for it in command.getDependencies(group)["schedules"]], ["schedule"])
        self.seen = []
        command.execute(copy)
        self.wait_for(1)
        self.same("the copy has the steps", len(self.seen), 1)
        self.same("deleted", (command.delete(copy), "copy" in indigo.actionGroups), (None, False))

    def pages(self):
        command = indigo.controlPage
        page = command.create("page")
        self.same("class", (type(page), page.hideTabBar, type(page.backgroundImage), type(page.width)), (indigo.ControlPage, False, str, int))
        self.same("duplicate", command.duplicate(page, duplicateName="other").name, "other")
        folder = indigo.controlPages.folder.create("box")
        self.same("moved", (command.moveToFolder(page, value=folder), command.displayInRemoteUI(page, value=False)), (None, None))
        page.refreshFromServer()
        self.same("page", (page.folderId, page.remoteDisplay, len(command.getDependencies(page).keys())), (folder.id, False, 6))
        self.same("deleted", (command.delete(page), command.delete("other"), len(indigo.controlPages)), (None, None, 0))

    def folders(self):
        for name in ("devices", "variables", "triggers", "schedules", "actionGroups", "controlPages"):
            collection = getattr(indigo, name)
            made = collection.folder.create("My Folder")
            self.same(name, (type(made), made.name, made.remoteDisplay, "My Folder" in collection.folders, made.id in collection.folders, made in collection.folders),
                      (indigo.Folder, "My Folder", True, True, True, True))
            self.raises(ValueError, collection.folder.create, "My Folder", text="NameNotUniqueError")
            self.same(name, (collection.folder.displayInRemoteUI(made, value=False), made.remoteDisplay), (None, True))
            made.refreshFromServer()
            self.same(name, made.remoteDisplay, False)
            made.name = "Other"
            made.replaceOnServer()
            copy = collection.folder.duplicate(made, duplicateName="Copy")
            ids = [collection.folders.getId("Other"), collection.folder.getId("Copy"), collection.folders.getId(copy), collection.folders.getId("none")]
            self.same(name, (type(copy), ids), (indigo.Folder, [made.id, copy.id, copy.id, 0]))
            self.same(name, (collection.folders.getName(made.id), collection.folders[made.id].name, collection.folders["Copy"].id), ("Other", "Other", copy.id))
            self.same(name, collection.folder.delete(made), None)
            self.same(name, collection.folder.delete(copy.id, deleteAllChildren=True), None)
            self.same(name, (made.id in collection.folders, "Copy" in collection.folders), (False, False))

    def errors(self):
        lamp = indigo.devices["lamp"]
        self.same("classes", (issubclass(indigo.ArgumentError, TypeError), indigo.KeyError is KeyError, indigo.IndexError is IndexError), (True, True, True))
        self.raises(ValueError, self.make, "lamp", "relay", text="NameNotUniqueError")
        self.raises(ValueError, self.make, "x", "no such type")
        self.raises(indigo.ArgumentError, indigo.device.create, indigo.kProtocol.Plugin, name="x")
        self.raises(indigo.PluginNotFoundError, self.make, "x", "relay", pluginId="org.example.nobody")
        self.raises(KeyError, self.make, "x", "relay", folder=5)
        self.raises(indigo.LowLevelBadParameterError, self.make, "x", "relay", props={"two words": 1})
        self.raises(ValueError, lamp.replacePluginPropsOnServer, {"xmlish": 1})
        for command in (indigo.device.turnOn, indigo.device.delete, indigo.device.getDependencies, indigo.dimmer.setBrightness):
            self.raises(KeyError, command, "nothing", **({"value": 5} if command == indigo.dimmer.setBrightness else {}))
            self.raises(TypeError, command, None)
        self.raises(TypeError, indigo.device.turnOn, lamp, soon=True)
        self.raises(ValueError, indigo.dimmer.setBrightness, "made", value=101)
        self.raises(indigo.ArgumentError, indigo.dimmer.setBrightness, "made", value="bright")
        self.raises(indigo.ArgumentError, indigo.dimmer.setBrightness, "made")
        self.raises(ValueError, indigo.dimmer.setBrightness, lamp, value=5, text="no dimmer")
        self.raises(ValueError, indigo.dimmer.setColorLevels, lamp, redLevel=5, text="no dimmer")
        self.raises(ValueError, indigo.dimmer.setColorLevels, "made")
        self.raises(ValueError, indigo.device.lock, lamp, text="no lock")
        self.raises(ValueError, indigo.thermostat.setHeatSetpoint, lamp, value=5, text="no thermostat")
        self.raises(ValueError, indigo.speedcontrol.setSpeedIndex, lamp, value=1, text="no speed control")
        self.raises(ValueError, indigo.sprinkler.run, lamp, schedule=[1], text="no sprinkler")
        self.raises(ValueError, indigo.sensor.setOnState, lamp, value=True, text="no sensor")
        garden = self.make("garden", "sprinkler", props={"NumZones": 2})
        self.raises(IndexError, indigo.sprinkler.setActiveZone, garden, index=3)
        self.raises(ValueError, indigo.sprinkler.run, garden, schedule=[-1])
        self.raises(TypeError, lamp.updateStateOnServer, "onOffState")
        self.raises(TypeError, lamp.updateStatesOnServer, [{"key": "onOffState"}])
        self.raises(TypeError, lamp.updateStateImageOnServer, 12345)
        self.raises(ValueError, indigo.variable.create, "bad name")
        self.raises(TypeError, indigo.variable.create, "number", 5)
        self.raises(TypeError, indigo.variable.create)
        self.raises(KeyError, indigo.variable.updateValue, "none", "x")
        self.raises(ValueError, indigo.variable.updateValue, "isDaylight", "x")
        self.raises(ValueError, indigo.variable.delete, "isDaylight")
        self.raises(KeyError, indigo.trigger.execute, 5)
        self.raises(KeyError, indigo.schedule.execute, "nothing")
        self.raises(KeyError, indigo.actionGroup.execute, "nothing")
        self.raises(TypeError, indigo.devStateChange.create, name="x", colour="red")
        self.raises(KeyError, indigo.devStateChange.create, name="x", deviceId="nothing")
        self.raises(ValueError, indigo.pluginEvent.create, name="x", pluginId=self.pluginId, pluginTypeId="nothing")
        self.raises(AttributeError, getattr, indigo.trigger, "create")
        self.raises(TypeError, indigo.devices.__setitem__, lamp.id, lamp)
        self.raises(KeyError, indigo.devices.__getitem__, "nothing")
        self.raises(TypeError, indigo.devices.__getitem__, None)
        self.raises(ValueError, indigo.devices.folder.create, "")
