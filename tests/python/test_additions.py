"""The additions to Domoticz of 2026: keywords in any case, announcements, the Host line."""

import json

from plugin_case import NOT_DEFINED, OK, RAISED, PluginCase


class Keywords(PluginCase):
    def setUp(self):
        super().setUp()
        self.begin()
        self.Device = self.domoticz.Device

    def test_rule_189_keywords_fit_in_any_case(self):
        self.Device(NAME="n", unit=1, TYPENAME="Switch", description="d", USED=1).Create()
        device = self.plugin.Devices[1]
        self.assertEqual((device.Used, device.Description), (1, "d"))
        device.Update(nvalue=1, SVALUE="On", BatteryLEVEL=7, subtype=62)
        self.assertEqual((device.nValue, device.sValue, device.BatteryLevel), (1, "On", 7))
        self.assertEqual(device.SubType, 62)
        self.domoticz.Dump(OBJECT=device)
        self.assertEqual(self.domoticz.Configuration(CONFIG={"a": 1}), {"a": 1})
        connection = self.domoticz.Connection(NAME="c", transport="TCP/IP", port="1")
        connection.Listen(TARGET=None)
        connection.Send(message=b"m", DELAY=0)
        connection.Connect(target=None, TIMEOUT=500)
        self.assertEqual(self.errors(), [])

    def test_rule_189_the_later_of_two_keywords_wins(self):
        device = self.Device(Name="first", NAME="second", Unit=1)
        self.assertEqual(device.Name, "second")
        self.assertQuiet()

    def test_rule_189_a_name_that_is_none_is_told_with_the_word_about_case(self):
        self.Device(Name="n", Unit=1, Device=2)
        errors = self.errors()
        self.assertIn("names in any case", errors[0])
        self.assertIn("'Device'", errors[-1])

    def test_rule_189_the_positional_functions_take_no_keywords(self):
        for name in ("Log", "Status", "Error", "Debug", "Debugging", "Heartbeat", "Notifier"):
            with self.assertRaises(TypeError):
                getattr(self.domoticz, name)(message="x")

    def test_rule_190_names_of_types_fit_in_any_case(self):
        for name, types in (
            ("SWITCH", (244, 73)),
            ("temp+HUM+baro", (84, 1)),
            ("kwh", (243, 29)),
            ("no such", (243, 0)),
        ):
            device = self.Device("n", 1, TypeName=name)
            self.assertEqual((device.Type, device.SubType), types, name)

    def test_rule_205_a_counter_made_by_numbers_has_its_first_value(self):
        self.assertEqual(self.Device("n", 1, Type=243, Subtype=29).sValue, "0;0.0")
        self.assertEqual(self.Device("n", 1, Type=243, Subtype=28).sValue, "")

    def test_rule_204_the_figures_of_a_correction_can_only_be_read(self):
        device = self.Device("n", 1)
        self.assertEqual((device.Adjustment, device.Multiplier), (0.0, 1.0))
        for name in ("Adjustment", "Multiplier"):
            with self.assertRaises(AttributeError):
                setattr(device, name, 1.0)
        device.Create()
        self.hub.rows[device.ID].update(adjustment=-1.5, multiplier=2.0)
        device.Refresh()
        self.assertEqual((device.Adjustment, device.Multiplier), (-1.5, 2.0))


class Parameters(PluginCase):
    def test_rule_181_a_parameter_of_the_plugins_own_takes_the_place_of_the_hubs(self):
        record = self.setup_record()
        record["parameters"] += [("HardwareID", "own"), ("Name", "own"), ("Poll", "5")]
        self.load("import Domoticz\n", **record)
        self.deliver("started")
        parameters = self.plugin.Parameters
        self.assertEqual(list(parameters)[0], "HardwareID")
        self.assertEqual(
            [parameters[name] for name in ("HardwareID", "Name", "Poll")], ["own", "own", "5"]
        )


class Announcements(PluginCase):
    def setUp(self):
        super().setUp()
        self.begin()
        self.send = self.domoticz.SendNotification
        self.push = self.domoticz.WebSocketSend

    def test_rule_192_a_notification_has_all_its_parts(self):
        self.assertIsNone(self.send("Water", body="wet", PRIORITY=1))
        self.send("s", "b", -1, "ding", "|Name=x|", "bell", 5)
        parts = ("Subject", "Body", "Priority", "Sound", "ExtraData", "SubSystem", "Delay")
        for (name, sent), wanted in zip(
            self.hub.commands,
            (("Water", "wet", 1, "", "", "", 0), ("s", "b", -1, "ding", "|Name=x|", "bell", 5)),
        ):
            self.assertEqual(name, "sendNotification")
            self.assertEqual(tuple(sent[part] for part in parts), wanted)
        self.assertQuiet()

    def test_rule_192_an_empty_body_is_the_subject_and_a_negative_delay_is_none(self):
        self.send("Subject", Delay=-3)
        sent = self.hub.commands[0][1]
        self.assertEqual((sent["Body"], sent["Delay"]), ("Subject", 0))
        self.assertIn("Delay is negative", self.errors()[0])

    def test_rule_192_what_cannot_be_sent_is_told_and_not_raised(self):
        for args, kwargs in (
            ((), {}),
            (("",), {}),
            ((5,), {}),
            (("s", None), {}),
            (("s",), {"Priority": "1"}),
            (("s",), {"Delay": 1.5}),
            (("s",), {"Text": "t"}),
            (("\ud800",), {}),
        ):
            self.hub.records.clear()
            self.assertIsNone(self.send(*args, **kwargs))
            self.assertTrue(self.errors()[0].startswith("Expected SendNotification("), args)
        self.assertEqual(self.hub.commands, [])

    def test_a_refusal_of_the_hub_and_its_word_are_in_the_log(self):
        self.hub.refuse_command = ("value", "it is one too many")
        self.send("s")
        self.assertEqual(self.errors(), ["SendNotification: it is one too many"])
        self.hub.refuse_command = (None, "nobody")
        self.send("s")
        self.assertEqual(self.normals(), ["nobody"])

    def test_rule_194_texts_and_dictionaries_are_sent(self):
        self.assertIsNone(self.push('{"a":1}'))
        self.push(DATA={"count": 1, "big": 1712345678901, "deep": [{"é": None}]})
        wanted = ['{"a":1}', {"count": 1, "big": 1712345678901, "deep": [{"é": None}]}]
        self.assertEqual(self.hub.commands, [("webSocketSend", it) for it in wanted])
        self.assertQuiet()

    def test_rule_194_what_is_neither_is_told(self):
        loop = {}
        loop["loop"] = loop
        for args in (
            (),
            (5,),
            (b"x",),
            ([1],),
            (None,),
            ("a", "b"),
            ({"n": float("nan")},),
            (loop,),
        ):
            self.hub.records.clear()
            self.assertIsNone(self.push(*args))
            self.assertTrue(self.errors()[0].startswith("Expected WebSocketSend("), args)
        self.assertEqual(self.hub.commands, [])


class Messages(PluginCase):
    def test_announcements_before_the_start_change_nothing(self):
        self.load("import Domoticz\nDomoticz.SendNotification('s')\nDomoticz.WebSocketSend('s')\n")
        self.assertEqual(self.hub.commands, [])
        self.assertEqual(len(self.core_errors()), 2)

    def message(self, data):
        return self.runtime.call("onWebSocketMessage", json.dumps({"Data": data}))

    def test_rule_196_a_message_of_a_browser_reaches_the_module(self):
        self.begin("told = []\ndef onWebSocketMessage(Data):\n    told.append(Data)\n")
        self.assertEqual(self.message('say "hi"\n'), OK)
        self.assertEqual(self.plugin.told, ['say "hi"\n'])

    def test_rule_196_without_the_callback_nothing_happens(self):
        self.begin()
        self.assertEqual(self.message("x"), NOT_DEFINED)
        self.assertEqual(self.runtime.call("onStart", "{}"), NOT_DEFINED)
        self.assertQuiet()

    def test_an_exception_of_the_callback_is_logged(self):
        self.begin("def onWebSocketMessage(Data):\n    1 / 0\n")
        self.assertEqual(self.message("x"), RAISED)
        self.assertIn("'onWebSocketMessage'", self.errors()[0])


class Host(PluginCase):
    def sent(self, message, protocol="HTTP", address="h", port="8080"):
        connection = self.domoticz.Connection("n", "TCP/IP", protocol, address, port)
        connection.Send(message)
        return self.hub.calls[-1][3]

    def test_rule_199_requests_name_their_host(self):
        self.begin()
        for protocol, address, port, wanted in (
            ("HTTP", "h", "8080", b"h:8080"),
            ("HTTP", "h", "80", b"h"),
            ("HTTP", "h", "443", b"h:443"),
            ("HTTPS", "h", "443", b"h"),
            ("HTTPS", "h", "80", b"h:80"),
            ("HTTP", "h", "", b"h"),
            ("HTTP", "fe80::1", "80", b"[fe80::1]"),
        ):
            headers = {"X": "y"}
            message = self.sent({"Verb": "GET", "Headers": headers}, protocol, address, port)
            self.assertEqual(message[4], [("Host", [wanted]), ("X", [b"y"])])
            self.assertEqual(headers, {"X": "y"})
        message = self.sent({"URL": "/ws"}, "WS")
        self.assertEqual(message[4][0], ("Host", [b"h:8080"]))

    def test_rule_199_a_host_of_the_plugin_and_answers_stay_as_they_are(self):
        self.begin()
        for message, protocol, address in (
            ({"Verb": "GET", "Headers": {"Host": "mine"}}, "HTTP", "h"),
            ({"Status": "200 OK"}, "HTTP", "h"),
            ({"Verb": "GET"}, "HTTP", ""),
        ):
            names = [
                name
                for name, lines in self.sent(message, protocol, address)[4]
                if lines != [b"mine"]
            ]
            self.assertEqual(names, [])
