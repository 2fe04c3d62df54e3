"""Commands in their namespaces and indigo.server (object model, sections 10.5, 12, 19)."""

import datetime
import logging
import unittest

from indigo_case import IndigoCase


class Commands(IndigoCase):
    def check(self, function, arguments, keywords, command, expected):
        """That a call sends one command with these arguments."""
        self.server.calls.clear()
        function(*arguments, **keywords)
        self.assertEqual(self.server.calls, [(command, expected)])

    def test_devices_by_id_name_and_object(self):
        element = self.server.device(name="lamp")
        dev = self.indigo.devices[element["id"]]
        for named, sent in ((dev, dev.id), (dev.id, dev.id), ("lamp", "lamp")):
            self.check(self.indigo.device.turnOn, (named,), {}, "device.turnOn", {"id": sent})
        for wrong in (None, 1.5, True, []):
            with self.assertRaises(TypeError):
                self.indigo.device.turnOn(wrong)

    def test_operating_a_device(self):
        number = self.server.device()["id"]
        indigo = self.indigo
        for name in ("turnOn", "turnOff", "toggle", "lock", "unlock", "open", "close"):
            self.check(
                getattr(indigo.device, name),
                (number,),
                {"delay": 5, "duration": 10},
                "device." + name,
                {"id": number, "delay": 5, "duration": 10},
            )
        self.check(indigo.dimmer.turnOn, (number,), {}, "device.turnOn", {"id": number})
        self.check(
            indigo.relay.toggle,
            (number,),
            {"suppressLogging": True},
            "device.toggle",
            {"id": number, "suppressLogging": True},
        )
        with self.assertRaises(TypeError):
            indigo.device.turnOn(number, colour=5)

    def test_every_device_command(self):
        number = self.server.device(states={})["id"]
        other = self.server.device()["id"]
        indigo = self.indigo
        device, dimmer, thermostat = indigo.device, indigo.dimmer, indigo.thermostat
        table = (
            (device.enable, (number,), {"value": False}, "device.enable", {"value": False}),
            (device.moveToFolder, (number,), {"value": 0}, "device.moveToFolder", {"value": 0}),
            (
                device.displayInRemoteUI,
                (number,),
                {"value": False},
                "device.displayInRemoteUI",
                {"value": False},
            ),
            (device.statusRequest, (number,), {}, "device.statusRequest", {}),
            (device.beep, (number,), {}, "device.beep", {}),
            (
                device.ping,
                (number,),
                {"suppressLogging": True},
                "device.ping",
                {"suppressLogging": True},
            ),
            (
                device.groupWithDevice,
                (number, other),
                {},
                "device.groupWithDevice",
                {"value": other},
            ),
            (device.ungroupDevice, (number,), {}, "device.ungroupDevice", {}),
            (device.getGroupList, (number,), {}, "device.getGroupList", {}),
            (device.getDependencies, (number,), {}, "device.getDependencies", {}),
            (device.removeDelayedActions, (number,), {}, "device.removeDelayedActions", {}),
            (device.resetEnergyAccumTotal, (number,), {}, "device.resetEnergyAccumTotal", {}),
            (device.energyResetTotal, (number,), {}, "device.resetEnergyAccumTotal", {}),
            (device.energyUpdate, (number,), {}, "device.energyUpdate", {}),
            (
                device.changeDeviceTypeId,
                (number, "t2"),
                {},
                "device.changeDeviceTypeId",
                {"typeId": "t2"},
            ),
            (
                device.duplicate,
                (number,),
                {"duplicateName": "n"},
                "device.duplicate",
                {"duplicateName": "n"},
            ),
            (
                dimmer.setBrightness,
                (number,),
                {"value": 40, "delay": 3},
                "dimmer.setBrightness",
                {"value": 40, "delay": 3},
            ),
            (dimmer.setBrightness, (number, 40), {}, "dimmer.setBrightness", {"value": 40}),
            (dimmer.brighten, (number,), {"by": 5}, "dimmer.brighten", {"by": 5}),
            (dimmer.brighten, (number,), {"brightenBy": 5}, "dimmer.brighten", {"by": 5}),
            (dimmer.dim, (number,), {"dimBy": 5}, "dimmer.dim", {"by": 5}),
            (
                dimmer.setColorLevels,
                (number,),
                {"redLevel": 1, "whiteTemperature": 2700},
                "dimmer.setColorLevels",
                {"redLevel": 1, "whiteTemperature": 2700},
            ),
            (
                indigo.relay.setLedState,
                (number,),
                {"index": 2, "value": False},
                "relay.setLedState",
                {"index": 2, "value": False},
            ),
            (
                dimmer.setLedState,
                (number, 1, True),
                {},
                "dimmer.setLedState",
                {"index": 1, "value": True},
            ),
            (
                indigo.sensor.setOnState,
                (number,),
                {"value": True},
                "sensor.setOnState",
                {"value": True},
            ),
            (
                indigo.speedcontrol.setSpeedIndex,
                (number,),
                {"value": 2},
                "speedcontrol.setSpeedIndex",
                {"value": 2},
            ),
            (
                indigo.speedcontrol.setSpeedLevel,
                (number,),
                {"value": 55},
                "speedcontrol.setSpeedLevel",
                {"value": 55},
            ),
            (
                indigo.speedcontrol.increaseSpeedIndex,
                (number,),
                {},
                "speedcontrol.increaseSpeedIndex",
                {"by": 1},
            ),
            (
                indigo.speedcontrol.decreaseSpeedIndex,
                (number,),
                {"delta": 2},
                "speedcontrol.decreaseSpeedIndex",
                {"by": 2},
            ),
            (
                thermostat.setHvacMode,
                (number,),
                {"value": indigo.kHvacMode.HeatCool},
                "thermostat.setHvacMode",
                {"value": "HeatCool"},
            ),
            (
                thermostat.setFanMode,
                (number,),
                {"value": indigo.kFanMode.Auto},
                "thermostat.setFanMode",
                {"value": "Auto"},
            ),
            (
                thermostat.setCoolSetpoint,
                (number,),
                {"value": 25.5},
                "thermostat.setCoolSetpoint",
                {"value": 25.5},
            ),
            (
                thermostat.setHeatSetpoint,
                (number,),
                {"value": 20},
                "thermostat.setHeatSetpoint",
                {"value": 20},
            ),
            (
                thermostat.increaseCoolSetpoint,
                (number,),
                {},
                "thermostat.increaseCoolSetpoint",
                {"delta": 1},
            ),
            (
                thermostat.decreaseCoolSetpoint,
                (number,),
                {"delta": 2},
                "thermostat.decreaseCoolSetpoint",
                {"delta": 2},
            ),
            (
                thermostat.increaseHeatSetpoint,
                (number,),
                {},
                "thermostat.increaseHeatSetpoint",
                {"delta": 1},
            ),
            (
                thermostat.decreaseHeatSetpoint,
                (number,),
                {},
                "thermostat.decreaseHeatSetpoint",
                {"delta": 1},
            ),
            (
                indigo.sprinkler.run,
                (number,),
                {"schedule": [10, 0, 5]},
                "sprinkler.run",
                {"schedule": [10, 0, 5]},
            ),
            (indigo.sprinkler.pause, (number,), {}, "sprinkler.pause", {}),
            (indigo.sprinkler.resume, (number,), {}, "sprinkler.resume", {}),
            (indigo.sprinkler.stop, (number,), {}, "sprinkler.stop", {}),
            (indigo.sprinkler.nextZone, (number,), {}, "sprinkler.nextZone", {}),
            (indigo.sprinkler.previousZone, (number,), {}, "sprinkler.previousZone", {}),
            (
                indigo.sprinkler.setActiveZone,
                (number,),
                {"index": 3},
                "sprinkler.setActiveZone",
                {"index": 3},
            ),
            (
                indigo.iodevice.setBinaryOutput,
                (number,),
                {"index": 1, "value": False},
                "iodevice.setBinaryOutput",
                {"index": 1, "value": False},
            ),
            (device.delete, (number,), {}, "device.delete", {}),
        )
        for function, arguments, keywords, command, expected in table:
            with self.subTest(command):
                self.check(function, arguments, keywords, command, {"id": number, **expected})
        self.server.answers["device.allOff"] = None
        self.check(
            device.allOff, (indigo.kAllDeviceSel.All,), {}, "device.allOff", {"value": "All"}
        )
        for name in ("allLightsOn", "allLightsOff"):
            self.server.answers["dimmer." + name] = None
            self.check(getattr(dimmer, name), (), {}, "dimmer." + name, {})

    def test_results_of_device_commands(self):
        number = self.server.device()["id"]
        device = self.indigo.device
        self.assertEqual(device.getGroupList(number).to_list(), [number])
        self.assertEqual(device.ping(number)["Success"], True)
        self.assertEqual(device.getDependencies(number)["devices"][0]["Name"], "five")
        self.assertEqual(device.duplicate(number, duplicateName="twin").name, "twin")
        self.assertEqual(device.changeDeviceTypeId(number, "other").deviceTypeId, "other")

    def test_creating_a_device(self):
        create, protocol = self.indigo.device.create, self.indigo.kProtocol.Plugin
        folder = self.indigo.devices.folder.create("f")
        first = create(protocol, "n", "d", deviceTypeId="type")
        self.assertEqual((first.name, first.description, first.deviceTypeId), ("n", "d", "type"))
        self.check(
            create,
            (protocol,),
            {
                "name": "m",
                "address": 5,
                "pluginId": "com.test",
                "deviceTypeId": "type",
                "props": self.indigo.Dict({"a": [1]}),
                "folder": folder,
                "groupWithDevice": first,
            },
            "device.create",
            {
                "protocol": "Plugin",
                "name": "m",
                "address": "5",
                "pluginId": "com.test",
                "deviceTypeId": "type",
                "props": {"a": [1]},
                "folder": folder.id,
                "groupWithDevice": first.id,
            },
        )
        with self.assertRaisesRegex(ValueError, "NameNotUniqueError"):
            create(protocol, name="n", deviceTypeId="type")
        with self.assertRaises(self.indigo.LowLevelBadParameterError):
            create(protocol, name="x", deviceTypeId="type", props={"a b": 1})

    def test_other_namespaces(self):
        indigo = self.indigo
        variable = self.server.add("variables", "Variable", value="")["id"]
        trigger = self.server.add("triggers", "Trigger", enabled=True)["id"]
        schedule = self.server.add("schedules", "Schedule", enabled=True)["id"]
        group = self.server.add("actionGroups", "ActionGroup")["id"]
        page = self.server.add("controlPages", "ControlPage")["id"]
        table = (
            (
                indigo.variable.updateValue,
                (variable, "x"),
                {},
                "variable.updateValue",
                {"id": variable, "value": "x"},
            ),
            (
                indigo.variable.moveToFolder,
                (variable,),
                {"value": 7},
                "variable.moveToFolder",
                {"id": variable, "value": 7},
            ),
            (
                indigo.trigger.execute,
                (trigger,),
                {},
                "trigger.execute",
                {"id": trigger, "ignoreConditions": False},
            ),
            (
                indigo.trigger.execute,
                (trigger,),
                {"ignoreConditions": True, "trigger_data": {"a": datetime.date(2026, 1, 2)}},
                "trigger.execute",
                {"id": trigger, "ignoreConditions": True, "trigger_data": {"a": "2026-01-02"}},
            ),
            (
                indigo.trigger.enable,
                (trigger,),
                {"value": False, "delay": 4},
                "trigger.enable",
                {"id": trigger, "value": False, "delay": 4},
            ),
            (
                indigo.trigger.removeDelayedActions,
                (trigger,),
                {},
                "trigger.removeDelayedActions",
                {"id": trigger},
            ),
            (
                indigo.schedule.execute,
                (schedule,),
                {"schedule_data": {"a": 1}},
                "schedule.execute",
                {"id": schedule, "ignoreConditions": False, "schedule_data": {"a": 1}},
            ),
            (
                indigo.schedule.enable,
                (schedule,),
                {"value": True},
                "schedule.enable",
                {"id": schedule, "value": True},
            ),
            (
                indigo.actionGroup.execute,
                (group,),
                {"event_data": {"a": 1}},
                "actionGroup.execute",
                {"id": group, "event_data": {"a": 1}},
            ),
            (
                indigo.actionGroup.displayInRemoteUI,
                (group,),
                {"value": False},
                "actionGroup.displayInRemoteUI",
                {"id": group, "value": False},
            ),
            (
                indigo.controlPage.displayInRemoteUI,
                (page,),
                {},
                "controlPage.displayInRemoteUI",
                {"id": page, "value": True},
            ),
            (
                indigo.pluginEvent.enable,
                (trigger,),
                {},
                "trigger.enable",
                {"id": trigger, "value": True},
            ),
        )
        for function, arguments, keywords, command, expected in table:
            with self.subTest(command):
                self.check(function, arguments, keywords, command, expected)

    def test_failures_are_the_exceptions_that_plugins_catch(self):
        from fake_indigo import Failure

        kinds = {
            "value": ValueError,
            "key": KeyError,
            "index": IndexError,
            "type": self.indigo.ArgumentError,
            "plugin": self.indigo.PluginNotFoundError,
            "timeout": TimeoutError,
            "unsupported": NotImplementedError,
            "limit": RuntimeError,
            "other": RuntimeError,
        }
        for kind, expected in kinds.items():

            def fail(arguments, kind=kind):
                raise Failure(kind, "because")

            self.server.answers["device.beep"] = fail
            with self.subTest(kind), self.assertRaisesRegex(expected, "because"):
                self.indigo.device.beep(5)

    def test_interfaces_that_are_not_there(self):
        self.begin()
        for name, command in (("zwave", "sendRaw"), ("insteon", "sendRaw"), ("x10", "sendOn")):
            interface = getattr(self.indigo, name)
            self.server.events.clear()
            interface.subscribeToIncoming()
            interface.subscribeToOutgoing()
            self.assertEqual(len(self.server.events), 2)
            self.assertIn("nothing will come", self.server.events[0]["message"])
            with self.assertRaisesRegex(NotImplementedError, "indigo.%s.%s" % (name, command)):
                getattr(interface, command)(5, [1])
            with self.assertRaisesRegex(NotImplementedError, "operate the devices of a plugin"):
                interface.sendWhatever("A1", delta=3)
            with self.assertRaises(AttributeError):
                _ = interface._private

    def test_raw_requests(self):
        self.begin()
        self.server.answers["server.getPlugin"] = {
            "pluginId": "com.test",
            "pluginDisplayName": "Test",
        }
        dev = self.server.device(name="lamp")
        ask = self.indigo.rawServerRequest
        (raw,) = ask("GetDeviceList")
        self.assertEqual(raw, ask("GetDevice", {"ID": dev["id"]}))
        self.assertEqual(
            (raw["ID"], raw["Name"], raw["PluginID"], raw["PluginUiName"]),
            (dev["id"], "lamp", "com.test", "Test"),
        )
        self.server.add("variables", "Variable", name="v", value="5")
        self.assertEqual(ask("GetVariableList")[0]["Value"], "5")
        page = self.server.add("controlPages", "ControlPage", name="p")
        self.assertEqual(ask("GetControlPage", {"ID": page["id"]})["PageElemList"], [])
        with self.assertRaises(KeyError):
            ask("GetDevice", {"ID": 5})
        for name, says in (
            ("GetActionGroupList", "indigo.actionGroups"),
            ("GetTrigger", "indigo.triggers"),
            ("GetEventLog", "GetDevice"),
        ):
            with self.assertRaisesRegex(NotImplementedError, says):
                ask(name)

    def test_what_else_is_refused(self):
        with self.assertRaises(NotImplementedError):
            self.indigo.rawServerCommand("x", {})
        self.indigo.debugger()
        self.assertIn("debug", self.server.events[-1]["message"])


class Server(IndigoCase):
    def test_what_it_is(self):
        self.begin()
        server = self.indigo.server
        self.assertEqual((server.version, server.apiVersion), ("2025.2", "3.8"))
        self.assertEqual(
            (server.address, server.portNum, server.connectionGood), ("127.0.0.1", 8176, True)
        )
        self.assertIs(server.licenseStatus, self.indigo.kLicenseStatus.ActiveSubscription)
        self.assertEqual(server.getLatitudeAndLongitude(), [48.5, 2.25])
        self.assertEqual(server.getWebServerURL(), "http://127.0.0.1:8176")
        self.assertIsNone(server.getReflectorURL())
        self.assertEqual(self.indigo.host.version, "2025.2")

    def test_places(self):
        self.begin()
        server = self.indigo.server
        self.assertEqual(server.getInstallFolderPath(), "/indigo")
        self.assertEqual(server.getLogsFolderPath(), self.root + "Logs")
        self.assertEqual(server.getLogsFolderPath("com.test"), self.root + "Logs/com.test")
        self.assertTrue(server.getDbFilePath().startswith("/indigo/"))
        self.assertTrue(server.getDbName())

    def test_clock(self):
        server = self.indigo.server
        self.assertEqual(server.getTime(), datetime.datetime(2026, 11, 21, 10, 20, 30))
        self.assertEqual(server.calculateSunrise().hour, 8)
        server.calculateSunset(datetime.date(2026, 6, 1))
        server.calculateSunset(datetime.datetime(2026, 6, 1, 12))
        self.assertEqual(
            self.asked("server.calculateSunset"),
            [{"date": "2026-06-01"}, {"date": "2026-06-01T12:00:00"}],
        )

    def test_the_log(self):
        self.begin()
        log = self.indigo.server.log
        cases = (
            (("text",), {}, ("Test", 20, False)),
            (("text",), {"isError": True}, ("Test Error", 40, True)),
            (("text",), {"level": logging.DEBUG}, ("Test Debug", 10, False)),
            (("text",), {"level": logging.WARNING}, ("Test Warning", 30, False)),
            (("text",), {"level": logging.CRITICAL}, ("Test Error", 50, True)),
            (("text", "Own"), {}, ("Own", 20, False)),
            (("text",), {"type": "Own", "isError": True}, ("Own", 40, True)),
            ((5,), {"level": "WARNING"}, ("Test Warning", 30, False)),
        )
        for arguments, keywords, expected in cases:
            with self.subTest(keywords):
                log(*arguments, **keywords)
                event = self.server.events[-1]
                self.assertEqual((event["type"], event["level"], event["isError"]), expected)
        self.assertEqual(event["message"], "5")
        self.indigo.server.error("bad")
        self.assertTrue(self.server.events[-1]["isError"])

    def test_reading_the_log(self):
        server = self.indigo.server
        self.assertEqual(server.getEventLogList(), "2026-11-21 10:00:00\tT\tm")
        self.assertEqual(server.getEventLogList(showTimeStamp=False, lineCount=5), "T\tm")
        line = server.getEventLogList(returnAsList=True)[0]
        self.assertEqual((line["Message"], line["TypeStr"], line["TypeVal"]), ("m", "T", 1))
        self.assertEqual(line["TimeStamp"], line["Timestamp"])
        server.subscribeToLogBroadcasts()
        self.assertEqual(self.asked("server.subscribeToLogBroadcasts"), [{}])

    def test_other_plugins(self):
        plugin = self.indigo.server.getPlugin("com.other")
        self.assertEqual(
            (
                plugin.pluginId,
                plugin.pluginDisplayName,
                plugin.pluginVersion,
                plugin.pluginFolderPath,
                plugin.pluginSupportURL,
            ),
            ("com.other", "Other", "1.2.3", "/x", "u"),
        )
        self.assertTrue(plugin.isEnabled() and plugin.isRunning() and plugin.isInstalled())
        result = plugin.executeAction("act", deviceId=0, props={"a": 1}, waitUntilDone=True)
        self.assertIs(type(result), self.indigo.Dict)
        self.assertEqual(result["echo"]["a"], 1)
        with self.assertRaisesRegex(RuntimeError, "ValueError"):
            plugin.executeAction("bad")
        plugin.restart(waitUntilDone=False)
        self.assertEqual(
            self.asked("server.pluginRestart"), [{"pluginId": "com.other", "waitUntilDone": False}]
        )
        plugin.restartAndDebug()
        self.assertFalse(self.indigo.server.getPlugin("zzz").isEnabled())
        self.assertEqual([p.pluginId for p in self.indigo.server.getPluginList()], ["com.other"])

    def test_broadcasts(self):
        server = self.indigo.server
        server.broadcastToSubscribers("bare")
        server.broadcastToSubscribers("with", None)
        server.broadcastToSubscribers("more", {"a": [1]})
        self.assertEqual(
            self.asked("server.broadcastToSubscribers"),
            [
                {"messageName": "bare"},
                {"messageName": "with", "arg": None},
                {"messageName": "more", "arg": {"a": [1]}},
            ],
        )
        server.subscribeToBroadcast("com.other", "bare", "method")
        self.assertEqual(
            self.asked("server.subscribeToBroadcast"),
            [{"pluginId": "com.other", "messageName": "bare", "methodName": "method"}],
        )

    def test_the_rest(self):
        server = self.indigo.server
        server.stopPlugin("why", isError=True)
        server.restartPlugin("why")
        server.sendEmailTo("a@b.c", subject="s", body="b")
        server.speak("hello", waitUntilDone=True)
        server.waitUntilIdle()
        server.removeAllDelayedActions()
        self.assertEqual(server.getDeprecatedElems().to_list(), [])
        self.assertEqual(
            server.getSerialPorts(filter="indigo.ignoreBluetooth").to_dict(),
            {"/dev/ttyUSB0": "USB"},
        )
        self.assertEqual(self.asked("server.stopPlugin"), [{"message": "why", "isError": True}])
        self.assertEqual(
            self.asked("server.sendEmailTo"), [{"emailTo": "a@b.c", "subject": "s", "body": "b"}]
        )
        self.assertEqual(
            self.asked("server.speak"), [{"textToSpeak": "hello", "waitUntilDone": True}]
        )
        self.indigo.host.browserOpen("http://x/")
        self.assertIn("http://x/", self.server.events[-1]["message"])
        self.assertTrue(self.indigo.host.resourcesFolderPath.endswith("/Resources"))


if __name__ == "__main__":
    unittest.main()
