"""Copies of the server's objects and their collections (object model, sections 10 to 13)."""

import copy
import datetime
import json
import unittest

from indigo_case import IndigoCase


class Devices(IndigoCase):
    def made(self, kind="Device", **values):
        element = self.server.device(kind, **values)
        return self.indigo.devices[element["id"]]

    def test_attributes_have_their_types(self):
        dev = self.made(
            "DimmerDevice",
            protocol="ZWave",
            lastChanged="2026-11-21T10:00:01",
            brightness=50,
            states={"onOffState": True, "onOffState.ui": "on"},
            displayStateImageSel="DimmerOn",
            subType="kDimmerDeviceSubType.Bulb,ui=x",
            globalProps={"com.test": {"a": 1}},
        )
        self.assertIs(type(dev), self.indigo.DimmerDevice)
        self.assertIsInstance(dev, self.indigo.RelayDevice)
        self.assertIsInstance(dev, self.indigo.Device)
        self.assertIsInstance(dev, self.indigo.BaseElem)
        self.assertIs(dev.protocol, self.indigo.kProtocol.ZWave)
        self.assertEqual(dev.lastChanged, datetime.datetime(2026, 11, 21, 10, 0, 1))
        self.assertIs(dev.displayStateImageSel, self.indigo.kStateImageSel.DimmerOn)
        self.assertEqual(dev.subType, self.indigo.kDimmerDeviceSubType.Bulb + ",ui=x")
        self.assertIs(type(dev.states), self.indigo.Dict)
        self.assertEqual(dev.globalProps["com.test"]["a"], 1)
        self.assertIsNone(dev.batteryLevel)
        self.assertIsNone(dev.lastSuccessfulComm)
        self.assertEqual(dev.brightness, 50)

    def test_changes_stay_in_the_copy(self):
        dev = self.made(name="old", pluginProps={"a": [1]})
        dev.name = "new"
        dev.pluginProps["a"].append(2)
        props = dev.pluginProps
        props["b"] = 1
        self.assertEqual(dev.pluginProps.to_dict(), {"a": [1]})
        self.assertEqual(self.indigo.devices[dev.id].name, "old")
        dev.replaceOnServer()
        self.assertEqual(
            self.asked("device.replaceOnServer"), [{"id": dev.id, "object": {"name": "new"}}]
        )
        self.assertEqual(self.indigo.devices[dev.id].name, "new")

    def test_what_is_the_servers_cannot_be_set(self):
        dev = self.made()
        for name in (
            "id",
            "states",
            "pluginProps",
            "pluginId",
            "deviceTypeId",
            "enabled",
            "lastChanged",
            "errorState",
        ):
            with self.subTest(name), self.assertRaises(AttributeError):
                setattr(dev, name, 1)
        dev.ofThePluginsOwn = 5
        self.assertEqual(dev.ofThePluginsOwn, 5)

    def test_refresh(self):
        dev = self.made(name="a")
        self.server.objects["devices"][dev.id]["name"] = "b"
        dev.refreshFromServer()
        self.assertEqual(dev.name, "b")
        del self.server.objects["devices"][dev.id]
        with self.assertRaises(KeyError):
            dev.refreshFromServer(waitUntilServerIdle=True)

    def test_a_state_by_position_and_by_keyword(self):
        dev = self.made("RelayDevice", states={"onOffState": False, "t": 0.0}, onState=False)
        dev.updateStateOnServer("onOffState", True)
        dev.updateStateOnServer(
            key="t",
            value=1.26,
            uiValue="1.3 C",
            decimalPlaces=1,
            triggerEvents=False,
            clearErrorState=False,
        )
        self.assertEqual(
            [call["states"] for call in self.asked("device.updateStatesOnServer")],
            [
                [{"key": "onOffState", "value": True}],
                [
                    {
                        "key": "t",
                        "value": 1.26,
                        "uiValue": "1.3 C",
                        "decimalPlaces": 1,
                        "triggerEvents": False,
                        "clearErrorState": False,
                    }
                ],
            ],
        )
        self.assertTrue(dev.onState)
        self.assertEqual((dev.states["t"], dev.states["t.ui"]), (1.3, "1.3 C"))

    def test_states_in_one_go(self):
        dev = self.made(
            "DimmerDevice",
            states={"onOffState": False, "brightnessLevel": 0},
            onState=False,
            brightness=0,
        )
        dev.updateStatesOnServer([{"key": "brightnessLevel", "value": 40, "uiValue": "40 %"}])
        self.assertEqual((dev.brightness, dev.onState, dev.states["onOffState"]), (40, True, True))
        dev.updateStatesOnServer([])
        dev.updateStatesOnServer([{"key": "brightnessLevel", "value": 1, "decimalPlaced": 4}])
        self.assertEqual(
            self.asked("device.updateStatesOnServer")[-1]["states"],
            [{"key": "brightnessLevel", "value": 1}],
        )
        with self.assertRaises(TypeError):
            dev.updateStatesOnServer([{"key": "x"}])
        with self.assertRaises(TypeError):
            dev.updateStateOnServer("x")

    def test_modes_of_a_thermostat_travel_by_name(self):
        dev = self.made(
            "ThermostatDevice",
            states={"hvacOperationMode": "Heat", "hvacFanMode": "Auto", "temperatureInput1": 1},
            hvacMode="Heat",
            fanMode="Auto",
            temperatures=[1],
        )
        k = self.indigo
        self.assertIs(dev.states["hvacOperationMode"], k.kHvacMode.Heat)
        self.assertIs(dev.states.get("hvacFanMode"), k.kFanMode.Auto)
        dev.updateStateOnServer("hvacOperationMode", k.kHvacMode.Cool)
        dev.updateStateOnServer("hvacFanMode", int(k.kFanMode.AlwaysOn))
        dev.updateStateOnServer("temperatureInput1", 21.5)
        sent = [call["states"][0]["value"] for call in self.asked("device.updateStatesOnServer")]
        self.assertEqual(sent, ["Cool", "AlwaysOn", 21.5])
        self.assertEqual(
            (dev.hvacMode, dev.fanMode, dev.temperatures),
            (k.kHvacMode.Cool, k.kFanMode.AlwaysOn, [21.5]),
        )
        self.assertEqual(dict(dev)["states"]["hvacOperationMode"], k.kHvacMode.Cool)

    def test_inputs_and_outputs_are_in_their_lists(self):
        dev = self.made(
            "MultiIODevice",
            states={"binaryOutput1": False, "binaryOutput2": False},
            binaryOutputs=[False, False],
            binaryOutputCount=2,
        )
        dev.updateStateOnServer("binaryOutput2", True)
        self.assertEqual((dev.binaryOutputs, dev.states["binaryOutput2"]), ([False, True], True))
        dev.updateStateOnServer("binaryOutput1", True)
        self.assertEqual(dev.binaryOutputs, [True, True])

    def test_values_of_other_types_become_text(self):
        dev = self.made(states={"when": ""})
        dev.updateStateOnServer("when", datetime.datetime(2026, 1, 2, 3, 4, 5))
        self.assertEqual(
            self.asked("device.updateStatesOnServer")[0]["states"][0]["value"],
            "2026-01-02 03:04:05",
        )
        with self.assertRaises(TypeError):
            dev.updateStateOnServer("when", object())
        with self.assertRaises(ValueError):
            dev.updateStateOnServer("when", float("nan"))

    def test_images_and_errors(self):
        dev = self.made()
        image = self.indigo.kStateImageSel.TimerOn
        dev.updateStateImageOnServer(image)
        self.assertIs(dev.displayStateImageSel, image)
        self.assertEqual(self.asked("device.updateStateImageOnServer")[0]["value"], "TimerOn")
        with self.assertRaises(TypeError):
            dev.updateStateImageOnServer("rubbish")
        dev.setErrorStateOnServer("no answer")
        self.assertEqual(dev.errorState, "no answer")
        dev.setErrorStateOnServer(None)
        self.assertEqual(
            [c["message"] for c in self.asked("device.setErrorStateOnServer")], ["no answer", ""]
        )

    def test_properties(self):
        dev = self.made(pluginProps={"a": 1})
        dev.replacePluginPropsOnServer({"b": {"c": [1, True]}})
        self.assertEqual(dev.pluginProps.to_dict(), {"b": {"c": [1, True]}})
        dev.replacePluginPropsOnServer(None)
        self.assertEqual(
            [c["props"] for c in self.asked("device.replacePluginPropsOnServer")],
            [{"b": {"c": [1, True]}}, {}],
        )
        dev.replaceSharedPropsOnServer(self.indigo.Dict({"s": 1}))
        self.assertEqual(dev.sharedProps["s"], 1)
        for key in ("1st", "two words", "xmlKey", "é", "", "-a"):
            with self.subTest(key), self.assertRaises(self.indigo.LowLevelBadParameterError):
                dev.replacePluginPropsOnServer({key: 1})
        with self.assertRaises(ValueError):
            dev.replacePluginPropsOnServer({"a": {"b c": 1}})

    def test_the_rest(self):
        dev = self.made()
        dev.updateTimeStampOnServer()
        self.assertEqual(self.asked("device.updateTimeStampOnServer"), [{"id": dev.id}])

    def test_as_a_dictionary_and_as_json(self):
        dev = self.made(
            "SensorDevice",
            lastChanged="2026-11-21T10:00:01",
            states={"a": 1},
            pluginProps={"l": [1]},
        )
        values = dict(dev)
        self.assertEqual(values["class"], "indigo.SensorDevice")
        self.assertIs(type(values["states"]), dict)
        self.assertIs(type(values["pluginProps"]["l"]), list)
        self.assertIn("sensorValue", values)
        text = json.dumps(values, cls=self.indigo.utils.JSONDateEncoder)
        again = json.loads(text)
        self.assertEqual(again["lastChanged"], "2026-11-21T10:00:01")
        self.assertEqual(again["protocol"], "indigo.kProtocol.Plugin")
        self.assertEqual(
            json.loads(json.dumps([dev], cls=self.indigo.utils.IndigoJSONEncoder)), [again]
        )

    def test_printed(self):
        dev = self.made(name="n", states={"s": 1}, pluginProps={"p": "x"})
        lines = str(dev).split("\n")
        self.assertIn("name : n", lines)
        self.assertIn("protocol : Plugin", lines)
        self.assertIn("states : States : (dict)", lines)
        self.assertIn("     s : 1 (integer)", lines)
        self.assertIn("pluginProps : com.test : (dict)", lines)
        self.assertEqual(lines[0].split(" ")[0], "address")

    def test_what_is_listed_is_what_the_documents_name(self):
        dev = self.made()
        dev.name = "changed"
        names = [name for name in dir(dev) if not name.startswith("__")]
        self.assertFalse([name for name in names if name.startswith("_")])
        self.assertTrue({"name", "states", "updateStateOnServer"} <= set(names))

    def test_copies_of_copies(self):
        dev = self.made(name="a")
        other = copy.copy(dev)
        other.name = "b"
        self.assertEqual((dev.name, other.id), ("a", dev.id))
        self.assertEqual(copy.deepcopy(dev).name, "a")

    def test_objects_are_made_by_the_server_only(self):
        with self.assertRaises(RuntimeError):
            self.indigo.Device()

    def test_a_sprinkler_off(self):
        dev = self.made(
            "SprinklerDevice", states={"activeZone": 2}, activeZone=2, zoneNames=["a", "b"]
        )
        dev.updateStateOnServer("activeZone", 0)
        self.assertIsNone(dev.activeZone)
        self.assertEqual(dev.states["activeZone"], 0)
        self.assertEqual(dev.zoneNames[1], "b")


class Collections(IndigoCase):
    def setUp(self):
        super().setUp()
        self.one = self.server.device("RelayDevice", name="one")["id"]
        self.two = self.server.device("DimmerDevice", name="two", pluginId="com.other")["id"]
        self.three = self.server.device(name="three", deviceTypeId="special")["id"]
        self.devices = self.indigo.devices

    def test_looking_up(self):
        self.assertEqual(self.devices[self.one].name, "one")
        self.assertEqual(self.devices["two"].id, self.two)
        self.assertEqual(self.devices[self.devices["two"]].id, self.two)
        for key in (5, "nothing", "1001"):
            with self.assertRaises(KeyError):
                self.devices[key]
        with self.assertRaises(TypeError):
            self.devices[None]
        self.assertIsNone(self.devices.get(5))
        self.assertEqual(self.devices.get("zzz", 7), 7)

    def test_membership(self):
        self.assertTrue(self.one in self.devices and "two" in self.devices)
        self.assertFalse(5 in self.devices or "zzz" in self.devices or None in self.devices)
        self.assertFalse(self.asked("devices.get"))

    def test_going_through(self):
        self.assertEqual([dev.name for dev in self.devices], ["one", "two", "three"])
        self.assertEqual([d.name for d in self.devices.iter("self")], ["one", "three"])
        self.assertEqual([d.name for d in self.devices.iter("self.special")], ["three"])
        self.assertEqual([d.name for d in self.devices.iter(filter="indigo.dimmer")], ["two"])
        self.assertEqual([d.name for d in self.devices.itervalues("com.other")], ["two"])
        self.assertEqual(self.devices.keys(), [self.one, self.two, self.three])
        self.assertEqual(list(self.devices.iterkeys("self")), [self.one, self.three])
        self.assertEqual([d.id for d in self.devices.values()], [self.one, self.two, self.three])
        self.assertEqual([key for key, _ in self.devices.items()], self.devices.keys())
        self.assertEqual((len(self.devices), self.devices.len("self")), (3, 2))
        self.assertTrue(self.devices)

    def test_the_set_is_fixed_and_deleted_ones_are_left_out(self):
        going = iter(self.devices)
        self.assertEqual(next(going).name, "one")
        names = []
        for _ in range(60):
            self.server.device()
        for dev in going:
            names.append(dev.name)
        self.assertEqual(names, ["two", "three"])
        many = self.devices.iter("self")
        first = next(many)
        for element in list(self.server.objects["devices"])[10:]:
            del self.server.objects["devices"][element]
        self.assertLess(len(list(many)), 60)
        self.assertEqual(first.name, "one")

    def test_names_and_ids(self):
        self.assertEqual(self.devices.getName(self.one), "one")
        self.assertEqual(self.devices.getId("two"), self.two)
        self.assertEqual((self.devices.getName(5), self.devices.getId("zzz")), ("", 0))

    def test_nothing_is_assigned_or_deleted(self):
        with self.assertRaises(TypeError):
            self.devices[self.one] = 5
        with self.assertRaises(TypeError):
            del self.devices[self.one]

    def test_subscriptions(self):
        for name in (
            "devices",
            "variables",
            "triggers",
            "schedules",
            "actionGroups",
            "controlPages",
        ):
            getattr(self.indigo, name).subscribeToChanges()
            self.assertEqual(self.asked(name + ".subscribeToChanges"), [{}])

    def test_folders(self):
        variables = self.indigo.variables
        folder = variables.folder.create("things")
        self.assertIsInstance(folder, self.indigo.Folder)
        self.assertEqual(variables.folders["things"].id, folder.id)
        self.assertEqual([f.name for f in variables.folders], ["things"])
        self.assertIn(folder.id, variables.folders)
        self.assertNotIn(folder.id, self.devices.folders)
        self.assertEqual(variables.folders.getName(folder.id), "things")
        self.assertEqual(variables.folder.getId("things"), folder.id)
        folder.name = "stuff"
        folder.replaceOnServer()
        folder.refreshFromServer()
        self.assertEqual((folder.name, variables.folders.getName(folder.id)), ("stuff", "stuff"))
        copied = variables.folder.duplicate(folder, duplicateName="twin")
        variables.folder.displayInRemoteUI(copied, value=False)
        variables.folder.delete(copied, deleteAllChildren=True)
        self.assertEqual(
            self.asked("variables.folder.delete"), [{"id": copied.id, "deleteAllChildren": True}]
        )
        self.assertEqual(variables.folders.keys(), [folder.id])


class Others(IndigoCase):
    def test_variables(self):
        variable = self.indigo.variable.create("v", "12.6", folder=0)
        self.assertIs(type(variable), self.indigo.Variable)
        self.assertEqual(
            (variable.value, variable.getValue(int), variable.getValue(float)), ("12.6", 13, 12.6)
        )
        self.assertFalse(variable.getValue(bool))
        for text, expected in (
            ("true", True),
            ("On", True),
            ("yes", True),
            ("1", True),
            ("false", False),
            ("off", False),
            ("NO", False),
            ("0", False),
        ):
            variable.value = text
            self.assertIs(variable.getValue(bool, default=not expected), expected)
        variable.value = "zzz"
        self.assertEqual((variable.getValue(int), variable.getValue(float, default=2.5)), (0, 2.5))
        self.assertTrue(variable.getValue(bool, default=True))
        variable.value = "locked"
        self.assertFalse(variable.getValue(bool))
        with self.assertRaisesRegex(ValueError, "white space"):
            variable.name = "bad name"
        variable.value = "zzz"
        variable.replaceOnServer()
        self.assertEqual(self.indigo.variables["v"].value, "zzz")
        self.indigo.variable.updateValue(variable, value="5")
        self.assertEqual(self.indigo.variables[variable.id].value, "5")
        with self.assertRaises(TypeError):
            self.indigo.variable.updateValue(variable, 5)
        with self.assertRaises(ValueError):
            self.indigo.variable.create("v")

    def test_triggers(self):
        made = self.indigo.pluginEvent.create(
            "t", pluginId="com.test", pluginTypeId="e", props={"a": 1}
        )
        self.assertIs(type(made), self.indigo.PluginEventTrigger)
        self.assertEqual((made.pluginTypeId, made.pluginProps["a"], made.enabled), ("e", 1, True))
        made.enabled = False
        made.replaceOnServer()
        self.assertEqual(self.asked("trigger.replaceOnServer")[0]["object"], {"enabled": False})
        made.replacePluginPropsOnServer({"b": 1})
        self.assertEqual(self.indigo.triggers[made.id].pluginProps["b"], 1)
        dev = self.server.device()
        change = self.indigo.devStateChange.create(
            name="c",
            deviceId=self.indigo.devices[dev["id"]],
            stateChangeType=self.indigo.kStateChange.BecomesEqual,
            stateSelector=self.indigo.kStateSelector.OnOffState,
            stateValue="x",
        )
        self.assertEqual(self.asked("devStateChange.create")[0]["stateChangeType"], "BecomesEqual")
        self.assertIs(change.stateChangeType, self.indigo.kStateChange.BecomesEqual)
        self.assertIs(change.stateSelector, self.indigo.kStateSelector.OnOffState)
        self.assertEqual(change.deviceId, dev["id"])
        change.stateSelector = "own"
        self.assertEqual(change.stateSelector, "own")
        other = self.indigo.varValueChange.create(
            "w", variableId=4, variableChangeType=self.indigo.kVarChange.Changes
        )
        self.assertIs(type(other), self.indigo.VarValueChangeTrigger)
        with self.assertRaises(TypeError):
            self.indigo.serverStartup.create("s", deviceId=4)
        self.assertIs(type(self.indigo.serverStartup.create("s")), self.indigo.ServerStartupTrigger)

    def test_schedules(self):
        made = self.server.add(
            "schedules",
            "Schedule",
            enabled=True,
            dateType="EveryDay",
            timeType="Sunrise",
            absoluteTime="2000-01-01T06:30:00",
            nextExecution=None,
            sunDelta=60,
        )
        schedule = self.indigo.schedules[made["id"]]
        self.assertIs(schedule.dateType, self.indigo.kDateType.EveryDay)
        self.assertIs(schedule.timeType, self.indigo.kTimeType.Sunrise)
        self.assertEqual(schedule.absoluteTime.time(), datetime.time(6, 30))
        self.assertIsNone(schedule.nextExecution)
        self.assertEqual((schedule.sunDelta, schedule.randomizeBy), (60, 0))

    def test_action_groups_and_pages(self):
        group = self.server.add("actionGroups", "ActionGroup", name="g")
        page = self.server.add("controlPages", "ControlPage", hideTabBar=True)
        self.assertEqual(self.indigo.actionGroups["g"].id, group["id"])
        self.assertTrue(self.indigo.controlPages[page["id"]].hideTabBar)
        self.assertEqual(self.indigo.controlPages[page["id"]].backgroundImage, "")


class Speed(IndigoCase):
    def test_a_state_is_one_call(self):
        element = self.server.device("RelayDevice", states={"onOffState": False})
        dev = self.indigo.devices[element["id"]]
        self.server.calls.clear()
        for value in (True, False, True):
            dev.updateStateOnServer("onOffState", value)
        self.assertEqual(len(self.server.calls), 3)

    def test_attributes_cost_no_call(self):
        dev = self.indigo.devices[self.server.device()["id"]]
        self.server.calls.clear()
        for name in dev._fields:
            getattr(dev, name)
        self.assertEqual(self.server.calls, [])


if __name__ == "__main__":
    unittest.main()
