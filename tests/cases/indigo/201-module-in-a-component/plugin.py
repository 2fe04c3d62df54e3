import copy
import datetime
import json
import os
import pickle


class Plugin(indigo.PluginBase):
    def same(self, what, value, expected):
        if value != expected:
            self.logger.error("FAIL %s: %r instead of %r", what, value, expected)

    def true(self, what, value):
        self.same(what, bool(value), True)

    def raises(self, kind, function, *arguments, **keywords):
        try:
            function(*arguments, **keywords)
        except kind:
            return
        self.logger.error("FAIL %s was not raised", kind.__name__)

    def startup(self):
        indigo.variables.subscribeToChanges()
        for part in (self.containers, self.devices, self.states, self.collections, self.variables,
                     self.triggers, self.server, self.files):
            try:
                part()
            except Exception:
                self.logger.exception("FAIL in %s", part.__name__)
            self.logger.info("checked %s", part.__name__)
        self.logger.info("all checks are done")

    def containers(self):
        made = indigo.Dict({"a": {"b": [1, {"c": 2}]}})
        self.same("dict()", dict(made), {"a": {"b": [1, {"c": 2}]}})
        self.same("JSON", json.dumps(made), '{"a": {"b": [1, {"c": 2}]}}')
        self.same("a copy", copy.deepcopy(made), made)
        self.same("a pickle", pickle.loads(pickle.dumps(made)), made)
        self.same("keywords", dict(**made), made)
        made["a"]["b"] = 5
        self.same("reading copies", made["a"].to_dict(), {"b": [1, {"c": 2}]})
        self.same("lists", list(indigo.List([1, [2]])), [1, [2]])
        self.raises(TypeError, made.__setitem__, "x", object())
        self.same("text", f"{indigo.kHvacMode.Heat:>6}|{indigo.kStateImageSel.SensorOn}",
                  "  Heat|SensorOn")
        self.same("number", indigo.kHvacMode(int(indigo.kHvacMode.Cool)), indigo.kHvacMode.Cool)

    def make(self, name, kind, **keywords):
        return indigo.device.create(indigo.kProtocol.Plugin, name=name, deviceTypeId=kind,
                                    configured=True, **keywords)

    def devices(self):
        dev = self.make("self relay", "relay", address="1.2.3", props={"l": [1, 2]})
        self.same("class", type(dev), indigo.RelayDevice)
        self.same("props", dev.pluginProps["l"].to_list(), [1, 2])
        self.same("address", dev.address, "1.2.3")
        self.raises(ValueError, self.make, "self relay", "relay")
        dev.name, dev.model = "self renamed", "M"
        dev.replaceOnServer()
        dev.refreshFromServer()
        self.same("replaced", (dev.name, dev.model), ("self renamed", "M"))
        dev.name = "self relay"
        dev.replaceOnServer()
        props = dev.pluginProps
        props["new"] = "v"
        dev.replacePluginPropsOnServer(props)
        self.same("new props", indigo.devices[dev.id].pluginProps["new"], "v")
        dev.setErrorStateOnServer("bad")
        self.same("error", indigo.devices[dev.id].errorState, "bad")
        dev.setErrorStateOnServer(None)
        self.same("no error", indigo.devices[dev.id].errorState, "")
        dev.updateStateImageOnServer(indigo.kStateImageSel.TimerOn)
        self.same("image", indigo.devices[dev.id].displayStateImageSel,
                  indigo.kStateImageSel.TimerOn)
        text = json.dumps(dict(dev), cls=indigo.utils.JSONDateEncoder)
        self.same("as JSON", json.loads(text)["class"], "indigo.RelayDevice")
        self.true("printed", "model : M" in str(dev).split("\n"))
        folder = indigo.devices.folder.create("self folder")
        indigo.device.moveToFolder(dev, value=folder)
        dev.refreshFromServer()
        self.same("folder", indigo.devices.folders.getName(dev.folderId), "self folder")
        twin = indigo.device.duplicate(dev, duplicateName="self twin")
        indigo.device.delete(twin)
        self.same("deleted", twin.id in indigo.devices, False)
        indigo.device.enable(dev, value=False)
        self.same("off", indigo.devices[dev.id].enabled, False)
        indigo.device.enable(dev, value=True)
        self.same("group", indigo.device.getGroupList(dev).to_list(), [dev.id])

    def states(self):
        dev = indigo.devices["self relay"]
        dev.updateStateOnServer("onOffState", True)
        self.same("here and there", (dev.onState, indigo.devices[dev.id].onState), (True, True))
        dev = self.make("self custom", "custom")
        dev.updateStatesOnServer([
            {"key": "text", "value": "t", "uiValue": "T!"},
            {"key": "number", "value": 1.256, "decimalPlaces": 2}, {"key": "flag", "value": True}])
        for states in (dev.states, indigo.devices[dev.id].states):
            self.same("states", (states["text"], states["text.ui"], states["number"],
                                 states["flag"]), ("t", "T!", 1.26, True))
        dev.stateListOrDisplayStateIdChanged()
        self.same("shown", indigo.devices[dev.id].displayStateId, "text")
        dev = self.make("self thermostat", "thermostat", props={
            "NumTemperatureInputs": "2", "SupportsHvacOperationMode": True})
        dev.updateStateOnServer("hvacOperationMode", indigo.kHvacMode.HeatCool)
        dev.updateStateOnServer("temperatureInput1", 21.5)
        dev.refreshFromServer()
        self.same("mode", (dev.hvacMode, dev.states["hvacOperationMode"]),
                  (indigo.kHvacMode.HeatCool,) * 2)
        self.same("temperature", dev.temperatures[0], 21.5)
        dev = self.make("self dimmer", "dimmer")
        dev.updateStateOnServer("brightnessLevel", 40)
        for copied in (dev, indigo.devices[dev.id]):
            self.same("brightness", (copied.brightness, copied.onState), (40, True))

    def collections(self):
        named = lambda *filters: sorted(dev.name for dev in indigo.devices.iter(*filters))
        self.same("all", named(), ["self custom", "self dimmer", "self relay", "self thermostat"])
        self.same("own", named("self"), named())
        self.same("of a type", named("self.dimmer"), ["self dimmer"])
        self.same("of a class", named("indigo.thermostat"), ["self thermostat"])
        self.same("how many", len(indigo.devices), 4)
        number = indigo.devices.getId("self relay")
        self.same("name", indigo.devices.getName(number), "self relay")
        self.same("members", [key in indigo.devices for key in (number, "self relay", 5, "zz")],
                  [True, True, False, False])
        self.raises(KeyError, indigo.devices.__getitem__, 5)
        self.same("default", indigo.devices.get("zz", 7), 7)

    def variables(self):
        made = indigo.variable.create("selfVar", "5")
        self.same("value", (made.value, made.getValue(int)), ("5", 5))
        indigo.variable.updateValue(made, "6")
        self.same("new value", indigo.variables["selfVar"].value, "6")
        self.raises(ValueError, indigo.variable.create, "self Var")
        self.raises(TypeError, indigo.variable.updateValue, made, 7)
        custom = indigo.devices["self custom"]
        self.same("substituted", self.substitute(
            "%%%%v:%d%%%% %%%%d:%d:text%%%%" % (made.id, custom.id)), "6 t")
        self.same("not valid", self.substitute("%%v:5%%", validateOnly=True)[0], False)

    def triggers(self):
        made = indigo.pluginEvent.create(
            "self event", pluginId=self.pluginId, pluginTypeId="happened")
        self.same("event", (type(made), made.pluginTypeId),
                  (indigo.PluginEventTrigger, "happened"))
        indigo.trigger.execute(made)
        custom = indigo.devices["self custom"]
        made = indigo.devStateChange.create(
            "self change", deviceId=custom.id, stateSelector="flag",
            stateChangeType=indigo.kStateChange.BecomesTrue)
        self.same("change", (made.deviceId, made.stateChangeType, made.stateSelector),
                  (custom.id, indigo.kStateChange.BecomesTrue, "flag"))
        self.same("own ones", [it.name for it in indigo.triggers.iter("self")], ["self event"])

    def server(self):
        server = indigo.server
        self.same("version", (server.version.count("."), server.apiVersion), (2, "3.8"))
        self.true("time", abs((server.getTime() - datetime.datetime.now()).total_seconds()) < 60)
        self.same("sunset", type(server.calculateSunset(datetime.date(2026, 6, 1))),
                  datetime.datetime)
        self.same("licence", server.licenseStatus, indigo.kLicenseStatus.ActiveSubscription)
        self.same("no plugin", server.getPlugin("org.example.none").isEnabled(), False)
        self.true("this plugin", server.getPlugin(self.pluginId).isEnabled())
        self.true("log", server.getEventLogList(returnAsList=True, lineCount=3)[0]["Message"])
        self.raises(NotImplementedError, indigo.zwave.sendRaw, 5, [1])
        self.raises(NotImplementedError, self.applicationWithBundleIdentifier, "com.apple.Mail")

    def files(self):
        self.true("working folder", os.path.isfile("plugin.py") and os.path.isfile("../Info.plist"))
        self.true("bundle", os.path.isfile(self.pluginFolderPath + "/Contents/Info.plist"))
        self.true("install folder", os.path.isdir(indigo.server.getInstallFolderPath()))
        self.logger.debug("for the file")
        path = indigo.server.getLogsFolderPath(self.pluginId) + "/plugin.log"
        with open(path, encoding="utf-8") as file:
            line = file.read().split("\n")[-2]
        self.true("line " + line, line.endswith("\tDEBUG\tPlugin.files:\tfor the file"))
        reply = indigo.utils.return_static_file(
            self.pluginFolderPath + "/Contents/Info.plist", path_is_relative=False)
        self.same("static file", reply["status"], 200)

    def device_start_comm(self, dev):
        self.logger.info("start comm " + dev.name)

    def runConcurrentThread(self):
        self.logger.info("thread beat 1")
        self.sleep(0.05)
        raise RuntimeError("on purpose")
