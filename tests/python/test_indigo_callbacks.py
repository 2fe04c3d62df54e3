"""Callbacks of Indigo plugins: names, arguments, answers, defaults (plugin reference,
"Device Specific Methods" and on; object model, sections 5, 7, 9, 14 and 17)."""

import json
import unittest

from indigo_case import NOT_DEFINED, RAISED, IndigoCase

RECORDER = "    seen = None\n"


class Names(IndigoCase):
    def test_both_styles_of_every_callback(self):
        indigo = self.indigo
        import sys

        lookup = sys.modules["indigo._lookup"]
        self.assertEqual(lookup.snake_case("getDeviceConfigUiXml"), "get_device_config_ui_xml")
        self.assertEqual(lookup.snake_case("x10CommandReceived"), "x10_command_received")
        self.assertEqual(lookup.camel_case("device_start_comm"), "deviceStartComm")
        dev = self.server.device()
        for name in ("deviceStartComm", "device_start_comm"):
            plugin = self.begin("    def %s(self, dev):\n        self.seen = dev.id\n" % name)
            self.ok("deviceStartComm", dev=dev)
            self.assertEqual(plugin.seen, dev["id"])
        self.assertTrue(indigo)

    def test_callbacks_that_are_not_defined(self):
        self.begin()
        dev = self.server.device()
        for name, arguments in (
            ("deviceStartComm", {"dev": dev}),
            ("actionControlDevice", {"dev": dev}),
            ("validateDeviceConfigUi", {"valuesDict": {}, "typeId": "", "devId": 0}),
            ("getDeviceConfigUiXml", {"typeId": "", "devId": 0}),
            ("plugin.nothing", {}),
            ("variableUpdated", {}),
            ("actionControlGeneral", {}),
        ):
            with self.subTest(name):
                self.assertEqual(self.call(name, **arguments), NOT_DEFINED)

    def test_names_of_xml_files_in_the_other_style(self):
        plugin = self.begin(
            "    def do_it(self):\n        self.n = 1\n"
            "    def menuChanged(self):\n        self.n = 2\n"
        )
        self.ok("plugin.doIt", kind="menu", args=[])
        self.assertEqual(plugin.n, 1)
        self.ok("plugin.menu_changed", kind="button", args=[{}, "t", 0])
        self.assertEqual(plugin.n, 2)

    def test_the_base_class_has_both_styles(self):
        plugin = self.begin(
            "    steps = ()\n"
            "    def device_updated(self, orig, new):\n"
            "        super().device_updated(orig, new)\n"
            "    def deviceStopComm(self, dev):\n        self.steps += ('stop',)\n"
            "    def device_start_comm(self, dev):\n        self.steps += ('start',)\n"
        )
        dev = self.server.device()
        self.ok("deviceUpdated", origDev=dev, newDev={**dev, "pluginProps": {"a": 1}})
        self.assertEqual(plugin.steps, ("stop", "start"))

    def test_static_methods(self):
        self.begin(
            "    @staticmethod\n"
            "    def closed_device_config_ui(values_dict, user_cancelled, type_id, dev_id):\n"
            "        return type_id\n"
            "    @staticmethod\n"
            "    def names(filter='', values_dict=None, type_id='', target_id=0):\n"
            "        return [(filter, type_id)]\n"
        )
        self.assertEqual(
            self.ok("closedDeviceConfigUi", valuesDict={}, userCancelled=True, typeId="x", devId=5),
            "x",
        )
        self.assertEqual(self.ok("plugin.names", kind="list", args=["f", {}, "t", 0]), [["f", "t"]])


class Arguments(IndigoCase):
    def test_dialogs_get_their_arguments_in_order(self):
        values = {"valuesDict": {"class": "indigo.Device", "b": [1]}, "typeId": "t"}
        cases = {
            "getDeviceConfigUiValues": (
                {"pluginProps": {"a": 1}, "typeId": "t", "devId": 5},
                [{"a": 1}, "t", 5],
            ),
            "getActionConfigUiValues": (
                {"pluginProps": {}, "typeId": "t", "devId": 5},
                [{}, "t", 5],
            ),
            "getEventConfigUiValues": (
                {"pluginProps": {}, "typeId": "t", "eventId": 5},
                [{}, "t", 5],
            ),
            "getPrefsConfigUiValues": ({}, []),
            "getMenuActionConfigUiValues": ({"menuId": "m"}, ["m"]),
            "getDeviceConfigUiXml": ({"devId": 1, "typeId": "t"}, ["t", 1]),
            "getEventConfigUiXml": ({"eventId": 1, "typeId": "t"}, ["t", 1]),
            "validateDeviceConfigUi": (dict(values, devId=3), [values["valuesDict"], "t", 3]),
            "validateActionConfigUi": (dict(values, devId=3), [values["valuesDict"], "t", 3]),
            "validateEventConfigUi": (dict(values, eventId=3), [values["valuesDict"], "t", 3]),
            "validatePrefsConfigUi": (values, [values["valuesDict"]]),
            "closedDeviceConfigUi": (
                dict(values, devId=3, userCancelled=False),
                [values["valuesDict"], False, "t", 3],
            ),
            "closedActionConfigUi": (
                dict(values, actionId=3, userCancelled=True),
                [values["valuesDict"], True, "t", 3],
            ),
            "closedEventConfigUi": (
                dict(values, eventId=3, userCancelled=True),
                [values["valuesDict"], True, "t", 3],
            ),
            "closedPrefsConfigUi": (dict(values, userCancelled=True), [values["valuesDict"], True]),
            "getDeviceFactoryUiValues": ({"devIdList": [1, 2]}, [[1, 2]]),
            "validateDeviceFactoryUi": (dict(values, devIdList=[1]), [values["valuesDict"], [1]]),
            "closedDeviceFactoryUi": (
                dict(values, devIdList=[1], userCancelled=False),
                [values["valuesDict"], False, [1]],
            ),
        }
        body = "".join(
            "    def %s(self, *args):\n        return list(args)\n" % name for name in cases
        )
        self.begin(body)
        for name, (given, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(self.ok(name, **given), expected)

    def test_dictionaries_of_dialogs_are_indigo_dicts(self):
        self.begin(
            "    def validatePrefsConfigUi(self, v):\n"
            "        return [type(v).__name__, type(v['l']).__name__, v['class']]\n"
        )
        self.assertEqual(
            self.ok("validatePrefsConfigUi", valuesDict={"l": [1], "class": "indigo.Device"}),
            ["Dict", "List", "indigo.Device"],
        )

    def test_actions_are_cut_to_what_the_method_takes(self):
        dev = self.server.device(name="d")
        action = {
            "class": "indigo.PluginAction",
            "pluginTypeId": "act",
            "deviceId": dev["id"],
            "pluginId": "com.test",
            "props": {"a": {"b": 1}},
        }
        cases = (
            ("self", []),
            ("self, action", ["act"]),
            ("self, action, dev", ["act", "d"]),
            ("self, pluginAction, dev=None, callerWaitingForResult=None", ["act", "d", True]),
            ("self, action, dev, waiting, event_data=None", ["act", "d", True, {"source": "s"}]),
            ("self, *args", ["act", "d", True, {"source": "s"}]),
        )
        for header, expected in cases:
            with self.subTest(header):
                names = [part.split("=")[0].strip() for part in header.split(",")[1:]]
                listed = "list(args)" if "*args" in header else "[%s]" % ", ".join(names)
                self.begin(
                    "    def act(%s):\n        got = %s\n"
                    "        if got: got[0] = got[0].pluginTypeId\n"
                    "        if got[1:]: got[1] = got[1].name\n"
                    "        return got\n" % (header, listed)
                )
                self.assertEqual(
                    self.ok(
                        "plugin.act",
                        kind="action",
                        args=[action, dev, True],
                        event_data={"source": "s"},
                    ),
                    expected,
                )

    def test_an_action_without_a_device(self):
        self.begin(
            "    def act(self, action, dev=5, waiting=None, event_data=5):\n"
            "        return [dev, waiting, event_data, action.props['x']]\n"
        )
        self.assertEqual(
            self.ok(
                "plugin.act",
                kind="http",
                args=[{"class": "indigo.PluginAction", "props": {"x": "y"}}, None, True],
            ),
            [None, True, None, "y"],
        )

    def test_what_strangers_send_is_never_an_object(self):
        dev = self.server.device()
        self.begin(
            "    def act(self, action, dev, waiting, event_data):\n"
            "        return [type(x).__name__ for x in"
            " (action.props['d'], dev, waiting, event_data)]\n"
            "    def message(self, arg):\n        return type(arg).__name__\n"
        )
        self.assertEqual(
            self.ok(
                "plugin.act",
                kind="http",
                event_data=dev,
                args=[{"class": "indigo.PluginAction", "props": {"d": dev}}, None, dev],
            ),
            ["Dict", "NoneType", "Dict", "Dict"],
        )
        self.assertEqual(self.ok("plugin.message", kind="broadcast", args=[dev]), "Dict")
        self.server.answers["server.pluginExecuteAction"] = dev
        answer = self.indigo.server.getPlugin("com.other").executeAction("x")
        self.assertIs(type(answer), self.indigo.Dict)

    def test_menus_buttons_lists_and_broadcasts(self):
        self.begin(
            "    def menu(self):\n        return 'none'\n"
            "    def menu2(self, valuesDict, menuId):\n        return [valuesDict['a'], menuId]\n"
            "    def button(self, values, typeId=None, devId=None, more=None):\n"
            "        values['x'] = typeId\n        return values\n"
            "    def button2(self, values):\n        return None\n"
            "    def names(self, filter='', valuesDict=None, typeId='', targetId=0):\n"
            "        return [(1, 'one'), ('2', valuesDict.get('v'))]\n"
            "    def message(self, arg):\n        return arg\n"
            "    def bare(self):\n        return 'bare'\n"
        )
        self.assertEqual(self.ok("plugin.menu", kind="menu", args=[]), "none")
        self.assertEqual(self.ok("plugin.menu2", kind="menu", args=[{"a": 1}, "m"]), [1, "m"])
        self.assertEqual(
            self.ok("plugin.button", kind="button", args=[{"a": 1}, "t", 5]), {"a": 1, "x": "t"}
        )
        self.assertIsNone(self.ok("plugin.button2", kind="button", args=[{"a": 1}, "t", 5]))
        self.assertEqual(
            self.ok("plugin.names", kind="list", args=["", {"v": "w"}, "t", 0]),
            [[1, "one"], ["2", "w"]],
        )
        self.assertEqual(self.ok("plugin.message", kind="broadcast", args=[{"a": [1]}]), {"a": [1]})
        self.assertEqual(self.ok("plugin.bare", kind="broadcast", args=["dropped"]), "bare")

    def test_commands_of_devices(self):
        indigo = self.indigo
        dev = self.server.device("DimmerDevice", states={"brightnessLevel": 5}, brightness=5)
        self.begin(
            "    def actionControlDevice(self, action, dev):\n"
            "        self.seen = (action.deviceAction, action.actionValue, dev.brightness)\n"
            "    def action_control_thermostat(self, action, dev):\n"
            "        self.seen = (action.thermostatAction, action.actionMode, action.actionValue)\n"
            "    def actionControlSprinkler(self, action, dev):\n"
            "        self.seen = (action.sprinklerAction, action.zoneIndex, action.zoneDurations)\n"
            "    def actionControlUniversal(self, action, dev):\n"
            "        self.seen = action.deviceAction\n"
            "    def actionControlSensor(self, action, dev):\n"
            "        self.seen = action.sensorAction\n"
            "    def actionControlSpeedControl(self, action, dev):\n"
            "        self.seen = (action.speedControlAction, action.actionValue)\n"
            "    def actionControlIO(self, action, dev):\n"
            "        self.seen = (action.deviceId, action.action, action.index)\n"
        )
        plugin = self.plugin
        self.ok(
            "actionControlDevice",
            dev=dev,
            action={
                "class": "indigo.DeviceAction",
                "deviceAction": "SetBrightness",
                "actionValue": 40,
            },
        )
        self.assertEqual(plugin.seen, (indigo.kDeviceAction.SetBrightness, 40, 5))
        self.ok(
            "actionControlDevice",
            dev=dev,
            action={
                "class": "indigo.DeviceAction",
                "deviceAction": "SetColorLevels",
                "actionValue": {"redLevel": 5.5},
            },
        )
        self.assertEqual(plugin.seen[1]["redLevel"], 5.5)
        self.ok(
            "actionControlDevice",
            dev=dev,
            action={
                "class": "indigo.DeviceAction",
                "deviceAction": "RequestStatus",
                "actionValue": 0,
            },
        )
        self.assertEqual(plugin.seen[0], indigo.kUniversalAction.RequestStatus)
        self.assertEqual(plugin.seen[0], indigo.kDeviceAction.RequestStatus)
        for mode, expected in (
            ("HeatCool", indigo.kHvacMode.HeatCool),
            ("Auto", indigo.kFanMode.Auto),
        ):
            self.ok(
                "actionControlThermostat",
                dev=dev,
                action={
                    "class": "indigo.ThermostatAction",
                    "thermostatAction": "SetHvacMode",
                    "actionMode": mode,
                    "actionValue": 20.5,
                },
            )
            self.assertEqual(plugin.seen, (indigo.kThermostatAction.SetHvacMode, expected, 20.5))
            self.assertIs(plugin.seen[1], expected)
        self.ok(
            "actionControlSprinkler",
            dev=dev,
            action={
                "class": "indigo.SprinklerAction",
                "sprinklerAction": "ZoneOn",
                "zoneIndex": 2,
                "zoneDurations": [5, 10],
            },
        )
        self.assertEqual(plugin.seen, (indigo.kSprinklerAction.ZoneOn, 2, [5, 10]))
        self.ok(
            "actionControlUniversal",
            dev=dev,
            action={"class": "indigo.UniversalAction", "deviceAction": "Beep"},
        )
        self.assertIs(plugin.seen, indigo.kUniversalAction.Beep)
        self.ok(
            "actionControlSensor",
            dev=dev,
            action={"class": "indigo.SensorAction", "sensorAction": "Toggle"},
        )
        self.assertIs(plugin.seen, indigo.kSensorAction.Toggle)
        self.ok(
            "actionControlSpeedControl",
            dev=dev,
            action={
                "class": "indigo.SpeedControlAction",
                "speedControlAction": "SetSpeedIndex",
                "actionValue": 3,
            },
        )
        self.assertEqual(plugin.seen, (indigo.kSpeedControlAction.SetSpeedIndex, 3))
        # The order in which they travel does not matter.
        self.ok(
            "actionControlIO",
            dev=dev,
            action={
                "class": "indigo.InputOutputAction",
                "action": "TurnOnOutput",
                "index": 1,
                "deviceId": 7,
            },
        )
        self.assertEqual(plugin.seen, (7, indigo.kIOAction.TurnOnOutput, 1))

    def test_an_action_prints_its_attributes(self):
        self.begin("    def act(self, action):\n        return str(action)\n")
        text = self.ok(
            "plugin.act",
            kind="action",
            args=[
                {
                    "class": "indigo.PluginAction",
                    "pluginId": "com.test",
                    "props": {"a": 1},
                    "description": "d",
                    "deviceId": 7,
                },
                None,
                False,
            ],
        )
        self.assertIn("deviceId : 7", text)
        self.assertIn("props : com.test : (dict)\n     a : 1 (integer)", text)

    def test_what_can_be_taken_back_says_when(self):
        indigo = self.indigo
        for name in (
            "DeviceAction",
            "EnableScheduleAction",
            "DisableScheduleAction",
            "EnableTriggerAction",
            "DisableTriggerAction",
        ):
            kind = getattr(indigo, name)
            self.assertTrue(issubclass(kind, indigo.Action))
            self.assertEqual(dict(kind())["complementDelay"], 0)
            self.assertEqual(kind(complementDelay=5).complementDelay, 5)

    def test_an_action_as_a_dictionary(self):
        self.begin("    def act(self, action):\n        return dict(action)\n")
        answer = self.ok(
            "plugin.act",
            kind="action",
            args=[{"class": "indigo.PluginAction", "props": {"a": [1]}}, None, False],
        )
        self.assertEqual((answer["class"], answer["props"]), ("indigo.PluginAction", {"a": [1]}))


class Answers(IndigoCase):
    def test_every_kind_of_result_travels(self):
        cases = {
            "None": None,
            "True": True,
            "5": 5,
            "2.5": 2.5,
            "'x'": "x",
            "(True, {'a': 1})": [True, {"a": 1}],
            "indigo.Dict({'a': [1]})": {"a": [1]},
            "indigo.List([1, {'b': 2}])": [1, {"b": 2}],
            "(False, indigo.Dict(), {'f': 'wrong'})": [False, {}, {"f": "wrong"}],
            "{'headers': indigo.Dict({'a': 'b'}), 5: 1}": {"headers": {"a": "b"}, "5": 1},
            "[('a', 1), (2, None)]": [["a", 1], [2, None]],
            "indigo.kHvacMode.Heat": "Heat",
            "b'x'": "x",
            "{1}": [1],
            "(False, {}, indigo.utils.ValidationError('m', error_dict={'f': 'e'}))": [
                False,
                {},
                {"f": "e"},
            ],
        }
        for expression, expected in cases.items():
            with self.subTest(expression):
                self.begin("    def act(self):\n        return %s\n" % expression)
                self.assertEqual(self.ok("plugin.act", kind="menu", args=[]), expected)

    def test_a_result_that_cannot_travel_is_an_error(self):
        self.begin("    def act(self):\n        return object()\n")
        self.assertEqual(self.call("plugin.act", kind="menu", args=[]), RAISED)
        self.assertEqual(self.answer["type"], "TypeError")

    def test_an_exception_is_logged_with_its_traceback_and_told(self):
        self.begin("    def act(self):\n        raise KeyError('k')\n")
        self.assertEqual(self.call("plugin.act", kind="action", args=[None, None, True]), RAISED)
        self.assertEqual(self.answer["type"], "KeyError")
        title, text = self.event_log()[-1]
        self.assertEqual(title, "Test Error")
        self.assertIn("'plugin.act' raised an exception:\nTraceback", text)
        self.assertIn("KeyError: 'k'", text)
        self.assertNotIn("_cordon", text)
        self.assertIn("KeyError: 'k'", self.answer["traceback"])
        self.assertEqual(self.call("plugin.act2", kind="menu", args=[]), NOT_DEFINED)

    def test_an_exit_is_an_exception_like_others(self):
        self.begin("    def act(self):\n        raise SystemExit(3)\n")
        self.assertEqual(self.call("plugin.act", kind="menu", args=[]), RAISED)
        self.assertEqual(self.answer["type"], "SystemExit")

    def test_another_thread_may_answer(self):
        self.begin(
            "    def act(self, action):\n"
            "        import threading\n"
            "        done = indigo.acquireCallbackCompleteHandler()\n"
            "        if action.props['fine']:\n"
            "            job = lambda: done.returnResult({'late': 1})\n"
            "        else:\n"
            "            job = lambda: done.returnException(ValueError('late'))\n"
            "        threading.Thread(target=job).start()\n"
            "        return 'ignored'\n"
        )
        action = {"class": "indigo.PluginAction", "props": {"fine": True}}
        self.assertEqual(
            self.ok("plugin.act", kind="action", args=[action, None, True]), {"late": 1}
        )
        action["props"]["fine"] = False
        self.assertEqual(self.call("plugin.act", kind="action", args=[action, None, True]), RAISED)
        self.assertEqual((self.answer["type"], self.answer["message"]), ("ValueError", "late"))


class Defaults(IndigoCase):
    BODY = (
        "    def __init__(self, *args):\n        super().__init__(*args)\n        self.steps = []\n"
        "    def deviceStartComm(self, dev):\n        self.steps.append('start ' + dev.name)\n"
        "    def deviceStopComm(self, dev):\n        self.steps.append('stop ' + dev.name)\n"
        "    def triggerStartProcessing(self, t):\n        self.steps.append('start ' + t.name)\n"
        "    def triggerStopProcessing(self, t):\n        self.steps.append('stop ' + t.name)\n"
    )

    def steps_of(self, name, **arguments):
        self.plugin.steps = []
        self.ok(name, **arguments)
        return self.plugin.steps

    def test_devices_created_and_deleted(self):
        self.begin(self.BODY)
        own = self.server.device(name="o")
        other = self.server.device(name="x", pluginId="com.other")
        off = self.server.device(name="f", enabled=False)
        raw = self.server.device(name="r", configured=False)
        self.assertEqual(self.steps_of("deviceCreated", dev=own), ["start o"])
        self.assertEqual(self.steps_of("deviceDeleted", dev=own), ["stop o"])
        for dev in (other, off, raw):
            self.assertEqual(self.steps_of("deviceCreated", dev=dev), [])
            self.assertEqual(self.steps_of("deviceDeleted", dev=dev), [])

    def test_devices_updated(self):
        self.begin(self.BODY)
        dev = self.server.device(name="a", pluginProps={"k": 1})

        def steps(old=(), new=()):
            # The server has the object as it is now.
            self.server.objects["devices"][dev["id"]] = now = {**dev, "name": "b", **dict(new)}
            return self.steps_of("deviceUpdated", origDev={**dev, **dict(old)}, newDev=now)

        self.assertEqual(steps(), [])
        self.assertEqual(steps(new={"states": {"x": 1}}), [])
        self.assertEqual(steps(new={"pluginProps": {"k": 2}}), ["stop a", "start b"])
        self.assertEqual(steps(new={"deviceTypeId": "other"}), ["stop a", "start b"])
        self.assertEqual(steps(new={"enabled": False}), ["stop a"])
        self.assertEqual(steps(old={"enabled": False}), ["start b"])
        self.assertEqual(steps(old={"configured": False}), ["start b"])
        self.assertEqual(steps(new={"pluginId": "com.other"}), ["stop a"])
        self.assertEqual(steps(old={"pluginId": "com.other"}), ["start b"])
        self.assertEqual(
            steps(old={"enabled": False}, new={"enabled": False, "pluginProps": {}}), []
        )

    def test_the_plugin_decides_which_properties_matter(self):
        self.begin(
            self.BODY + "    def did_device_comm_property_change(self, a, b):\n"
            "        return a.pluginProps['k'] != b.pluginProps['k']\n"
        )
        dev = self.server.device(name="a", pluginProps={"k": 1, "l": 1})
        same = {**dev, "pluginProps": {"k": 1, "l": 2}}
        differs = {**dev, "pluginProps": {"k": 2, "l": 1}}
        self.assertEqual(self.steps_of("deviceUpdated", origDev=dev, newDev=same), [])
        self.assertEqual(
            self.steps_of("deviceUpdated", origDev=dev, newDev=differs), ["stop a", "start a"]
        )

    def test_bytes_of_a_page_travel_as_they_are(self):
        self.begin(
            "    def text(self, action):\n        return {'content': 'é'.encode(), 'status': 1}\n"
            "    def plain(self, action):\n        return b'\\x89PNG'\n"
            "    def picture(self, action):\n"
            "        return indigo.Dict({'content': b'\\x89PNG', 'status': 200})\n"
        )
        page = lambda name, kind: self.ok("plugin." + name, kind=kind, args=[{}, None, True])
        sent = {"cordon-bytes": "iVBORw=="}
        self.assertEqual(page("text", "http"), {"content": "é", "status": 1})
        self.assertEqual(page("plain", "http"), sent)
        self.assertEqual(page("picture", "http"), {"content": sent, "status": 200})
        # Whoever else calls gets text.
        self.assertEqual(page("plain", "action"), "\ufffdPNG")

    def test_a_device_is_started_as_it_is_now(self):
        """A plugin that writes a property back would else undo a later change, for ever."""
        self.begin(
            "    def deviceStartComm(self, dev):\n"
            "        props = dev.pluginProps\n        props['started'] = True\n"
            "        dev.replacePluginPropsOnServer(props)\n"
        )
        dev = self.server.device(pluginProps={"mode": "second", "started": True})
        first = {**dev, "pluginProps": {"mode": "first"}}
        self.ok("deviceUpdated", origDev={**dev, "pluginProps": {}}, newDev=first)
        now = self.server.objects["devices"][dev["id"]]["pluginProps"]
        self.assertEqual(now, {"mode": "second", "started": True})
        self.ok("deviceCreated", dev=first)
        now = self.server.objects["devices"][dev["id"]]["pluginProps"]
        self.assertEqual(now, {"mode": "second", "started": True})

    def test_a_device_that_was_deleted_meanwhile_is_started_as_it_was(self):
        self.begin(self.BODY)
        dev = self.server.device(name="a")
        del self.server.objects["devices"][dev["id"]]
        self.assertEqual(self.steps_of("deviceCreated", dev=dev), ["start a"])

    def test_an_object_that_changes_too_often_is_restarted_later(self):
        self.begin(self.BODY)
        may = []
        self.server.answers["server.mayRestart"] = lambda _: bool(may and may.pop())
        dev = self.server.device(name="a", pluginProps={"n": 0})

        def change(number):
            now = {**dev, "pluginProps": {"n": number}, "name": "a%d" % number}
            before = self.server.objects["devices"][dev["id"]]
            self.server.objects["devices"][dev["id"]] = now
            return self.steps_of("deviceUpdated", origDev=before, newDev=now)

        may.append(True)
        self.assertEqual(change(1), ["stop a", "start a1"])
        self.assertEqual(change(2), [])
        # Those behind it ask no more.
        may.append(True)
        self.assertEqual(change(3), [])
        later = lambda: self.steps_of("restartHeldBack", id=dev["id"])
        self.assertEqual(later(), ["stop a1", "start a3"])
        self.assertEqual(later(), [])
        self.assertEqual(change(4), ["stop a3", "start a4"])
        # Held back, then disabled or deleted: it is stopped once, as it was when it ran.
        self.assertEqual(change(5), [])
        now = self.server.objects["devices"][dev["id"]]
        off = {**now, "enabled": False}
        self.assertEqual(self.steps_of("deviceUpdated", origDev=now, newDev=off), ["stop a4"])
        self.assertEqual(later(), [])
        self.assertEqual(change(6), [])
        gone = self.server.objects["devices"].pop(dev["id"])
        self.assertEqual(self.steps_of("deviceDeleted", dev=gone), ["stop a5"])
        self.assertEqual(later(), [])

    def test_triggers(self):
        self.begin(self.BODY)
        own = self.server.add(
            "triggers",
            "PluginEventTrigger",
            name="t",
            pluginId="com.test",
            pluginTypeId="e",
            enabled=True,
            pluginProps={},
        )
        other = self.server.add("triggers", "DeviceStateChangeTrigger", name="s", enabled=True)
        self.assertEqual(self.steps_of("triggerCreated", trigger=own), ["start t"])
        self.assertEqual(self.steps_of("triggerDeleted", trigger=own), ["stop t"])
        self.assertEqual(self.steps_of("triggerCreated", trigger=other), [])
        update = lambda **new: self.steps_of(
            "triggerUpdated", origTrigger=own, newTrigger={**own, **new}
        )
        self.assertEqual(update(), [])
        self.assertEqual(update(pluginProps={"a": 1}), ["stop t", "start t"])
        self.assertEqual(update(pluginTypeId="f"), ["stop t", "start t"])
        self.assertEqual(update(enabled=False), ["stop t"])

    def test_an_override_replaces_the_default(self):
        self.begin(
            self.BODY + "    def deviceUpdated(self, a, b):\n        self.steps.append('mine')\n"
        )
        dev = self.server.device(name="a")
        self.assertEqual(
            self.steps_of("deviceUpdated", origDev=dev, newDev={**dev, "pluginProps": {"a": 1}}),
            ["mine"],
        )

    def test_states_and_dialogs_of_the_base_class(self):
        plugin = self.begin()
        dev = self.server.device("RelayDevice")
        dev = self.indigo.devices[dev["id"]]
        self.assertEqual([s["Key"] for s in plugin.getDeviceStateList(dev)], ["a"])
        self.assertIs(plugin.getDeviceStateList(dev), plugin.devicesTypeDict["type"]["States"])
        self.assertEqual(plugin.get_device_display_state_id(dev), "a")
        self.assertEqual(plugin.getDeviceConfigUiXml("type", 0), "<ConfigUI/>")
        self.assertIsNone(plugin.getEventConfigUiXml("event", 0))
        self.assertEqual(plugin.getActionCallbackMethod("act"), "doIt")
        self.assertEqual(plugin.getDeviceTypeClassName("type"), "indigo.RelayDevice")
        self.assertEqual(plugin.getMenuItemsList()[0]["Id"], "m")
        props = self.indigo.Dict({"a": 1})
        self.assertEqual(plugin.getDeviceConfigUiValues(props, "type", 1), (props, {}))
        self.assertEqual(plugin.validate_device_config_ui(props, "type", 1), (True, props))
        self.assertEqual(len(self.asked("server.pluginDefinitions")), 1)

    def test_a_plugin_that_makes_its_list_of_states(self):
        self.begin(
            "    def getDeviceStateList(self, dev):\n"
            "        states = list(indigo.PluginBase.getDeviceStateList(self, dev))\n"
            "        states.append(self.getDeviceStateDictForNumberType('n', 'N', 'N'))\n"
            "        return states\n"
            "    def get_device_display_state_id(self, dev):\n        return 'n'\n"
        )
        dev = self.server.device("RelayDevice")
        self.indigo.devices[dev["id"]].stateListOrDisplayStateIdChanged()
        sent = self.asked("device.stateListOrDisplayStateIdChanged")[-1]
        self.assertEqual([s["Key"] for s in sent["stateList"]], ["a", "n"])
        self.assertEqual((sent["displayStateId"], sent["stateList"][1]["Type"]), ("n", "Number"))
        self.ok("deviceCreated", dev=dev)
        self.ok("deviceUpdated", origDev=dev, newDev=dev)
        self.ok("deviceUpdated", origDev=dev, newDev={**dev, "pluginProps": {"x": 1}})
        self.assertEqual(len(self.asked("device.stateListOrDisplayStateIdChanged")), 3)

    def test_a_plugin_that_does_not_asks_for_its_definitions(self):
        self.begin()
        dev = self.server.device("RelayDevice")
        self.indigo.devices[dev["id"]].stateListOrDisplayStateIdChanged()
        self.assertEqual(self.asked("device.stateListOrDisplayStateIdChanged"), [{"id": dev["id"]}])

    def test_descriptions_of_states(self):
        plugin = self.begin()
        for name, kind in (
            ("StringType", "String"),
            ("NumberType", "Number"),
            ("IntegerType", "Integer"),
            ("RealType", "Real"),
            ("BoolOnOffType", "BoolOnOff"),
            ("BoolYesNoType", "BoolYesNo"),
            ("BoolOneZeroType", "BoolOneZero"),
            ("BoolTrueFalseType", "BoolTrueFalse"),
        ):
            state = getattr(plugin, "getDeviceStateDictFor" + name)("k", "T", "C", True)
            self.assertEqual(
                state,
                {
                    "Key": "k",
                    "Type": kind,
                    "TriggerLabel": "T",
                    "StateLabel": "C",
                    "Disabled": True,
                },
            )
        state = plugin.getDeviceStateDictForEnumType("k", "T", "C", False, ["a", ("b", "B")])
        self.assertEqual(
            state["Options"], [{"Value": "a", "Label": "a"}, {"Value": "b", "Label": "B"}]
        )
        self.assertEqual(plugin.getDeviceStateDictForSeparator("s")["Type"], "Separator")
        self.assertEqual(plugin.getDeviceStateDictForSeperator("s")["Key"], "s")


class Output(IndigoCase):
    def test_printed_lines_end_with_the_call(self):
        self.begin("    def act(self):\n        print('half', end='')\n")
        self.ok("plugin.act", kind="menu", args=[])
        self.assertIn("half", [text for _, _, text in self.server.records])

    def test_what_travels_is_json(self):
        self.begin("    def act(self):\n        return 'é\\u2028\"'\n")
        self.assertEqual(self.ok("plugin.act", kind="menu", args=[]), "é\u2028\"")
        self.assertTrue(json)


if __name__ == "__main__":
    unittest.main()
