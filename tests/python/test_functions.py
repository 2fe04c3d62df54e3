"""Functions of the module: behaviour spec sections 9 and 10."""

from plugin_case import ERROR, HARDWARE, NORMAL, STATUS, PluginCase

ALL_GROUPS = "PYTHON PLUGIN QUEUE IMAGE DEVICE CONNECTION MESSAGE "


class FunctionCase(PluginCase):
    def setUp(self):
        super().setUp()
        self.begin()


class Logging(FunctionCase):
    def test_rule_165_log_takes_one_value_of_any_type(self):
        self.assertIsNone(self.domoticz.Log(5))
        self.domoticz.Status("s")
        self.domoticz.Error(None)
        self.assertEqual(
            self.hub.records,
            [(NORMAL, HARDWARE, "5"), (STATUS, HARDWARE, "s"), (ERROR, HARDWARE, "None")],
        )
        self.hub.records.clear()
        self.assertIsNone(self.domoticz.Log("a", "b"))
        self.assertIsNone(self.domoticz.Status())
        self.assertEqual([level for level, _, _ in self.hub.records], [ERROR, ERROR])

    def test_rule_166_keywords_are_refused(self):
        for function in ("Log", "Status", "Error", "Debug", "Debugging", "Heartbeat"):
            with self.assertRaises(TypeError):
                getattr(self.domoticz, function)(Message="x")

    def test_a_value_without_text_is_logged_as_exception(self):
        class Bad:
            def __str__(self):
                raise KeyError("k")

        self.assertIsNone(self.domoticz.Log(Bad()))
        self.assertEqual(self.errors()[-1], "KeyError: 'k'")

    def test_rule_167_debug_needs_the_mask(self):
        self.domoticz.Debug("x")
        self.domoticz.Debug("x", "y")
        self.assertQuiet()
        self.domoticz.Debugging(2)
        self.hub.records.clear()
        self.domoticz.Debug("x")
        self.assertEqual(self.hub.records, [(NORMAL, HARDWARE, "x")])
        self.domoticz.Debug("x", "y")
        self.assertEqual(len(self.errors()), 1)

    def test_rule_168_debugging_names_the_groups(self):
        for mask, names in (
            (62, "PYTHON PLUGIN IMAGE DEVICE CONNECTION "),
            (1, ALL_GROUPS + "ALL"),
            (-1, ALL_GROUPS),
            (0, "NONE"),
            (128, "QUEUE "),
            (256, "NONE"),
            (65535, ALL_GROUPS + "ALL"),
            (True, ALL_GROUPS + "ALL"),
        ):
            self.hub.records.clear()
            self.assertIsNone(self.domoticz.Debugging(mask))
            self.assertEqual(self.normals(), ["debug groups that are on: " + names])

    def test_debugging_refuses_what_is_no_number(self):
        for args in (("2",), (2.0,), (), (1, 2), (None,)):
            self.hub.records.clear()
            self.domoticz.Debugging(*args)
            self.assertIn("Expected Debugging", self.errors()[0])
            self.assertIn("'Debugging'", self.errors()[1])

    def test_rule_178_a_newline_stays_in_one_record(self):
        self.domoticz.Log("a\nb")
        self.assertEqual(self.normals(), ["a\nb"])

    def test_rule_170_trace_is_gone(self):
        self.assertIsNone(self.domoticz.Trace(True))
        self.assertError("Trace was removed")


class Others(FunctionCase):
    def test_rule_151_heartbeat_returns_what_was_asked(self):
        self.assertEqual(self.domoticz.Heartbeat(), 10)
        self.assertEqual(self.domoticz.Heartbeat(20), 20)
        self.assertEqual(self.domoticz.Heartbeat(), 10)
        self.assertEqual(self.hub.pending_interval, 20)

    def test_rule_152_zero_and_less_change_nothing(self):
        self.assertEqual(self.domoticz.Heartbeat(0), 0)
        self.assertEqual(self.domoticz.Heartbeat(-5), -5)
        self.assertIsNone(self.hub.pending_interval)
        self.assertQuiet()

    def test_heartbeat_refuses_what_is_no_number(self):
        for args in (("20",), (1.5,), (1, 2), (2**31,)):
            self.hub.records.clear()
            self.assertEqual(self.domoticz.Heartbeat(*args), 10)
            self.assertIn("Expected Heartbeat", self.errors()[0])
        self.assertIsNone(self.hub.pending_interval)

    def test_rule_169_notifier_checks_its_name(self):
        for name in ("a b", ""):
            self.hub.records.clear()
            self.domoticz.Notifier(name)
            self.assertError("must not be empty")
        self.hub.records.clear()
        self.domoticz.Notifier(5)
        self.assertIn("Expected Notifier", self.errors()[0])
        self.hub.records.clear()
        self.assertIsNone(self.hub.notifier)
        self.hub.records.clear()
        self.domoticz.Notifier("name")
        self.assertEqual(self.hub.notifier, "name")
        self.assertQuiet()

    def test_public_names_are_the_documented_ones(self):
        names = {name for name in dir(self.domoticz) if not name.startswith("_")}
        self.assertEqual(names, set(self.domoticz.__all__))
        self.assertEqual(
            names,
            {
                "Log",
                "Status",
                "Error",
                "Debug",
                "Debugging",
                "Heartbeat",
                "Notifier",
                "Trace",
                "WebSocketSend",
                "Configuration",
                "Register",
                "SendNotification",
                "Dump",
                "Device",
                "Connection",
                "Image",
            },
        )

    def test_dump_lists_context_locals_and_globals(self):
        self.begin_again(
            "answer = 42\nhidden = ''\n"
            "def onHeartbeat():\n    local = 'here'\n    Domoticz.Dump()\n"
        )
        self.deliver("heartbeat")
        lines = self.normals()
        context, local, world = (
            lines.index(heading + " dump:") for heading in ("Context", "Locals", "Globals")
        )
        line = " ----> 'answer'" + " " * 14 + " '42'"
        self.assertIn(line, lines[context:local])
        self.assertEqual(lines[local + 1 : world], [" ----> 'local'" + " " * 15 + " 'here'"])
        self.assertIn(line, lines[world:])
        self.assertFalse(any("onHeartbeat" in text or "'__" in text for text in lines))

    def begin_again(self, source):
        """Runs other source in the plugin's module."""
        exec(source, vars(self.plugin))


class Configuration(FunctionCase):
    def store(self, value):
        return self.domoticz.Configuration(value)

    def test_rule_171_a_fresh_configuration_is_empty(self):
        self.assertEqual(self.domoticz.Configuration(), {})

    def test_rule_172_what_was_stored_comes_back(self):
        stored = self.store({"Z": 1, "a": (1, 2), "b": b"x"})
        self.assertEqual(stored, {"Z": 1, "a": [1, 2], "b": "x"})
        self.assertEqual(list(stored), ["Z", "a", "b"])
        self.assertEqual(self.domoticz.Configuration(), stored)
        self.assertEqual(self.domoticz.Configuration(Config={}), {})

    def test_rule_173_only_a_dictionary_is_stored(self):
        for value in ("x", None, [1], 5):
            self.hub.records.clear()
            self.assertIsNone(self.store(value))
            self.assertEqual(len(self.errors()), 1)
        self.assertIsNone(self.hub.configuration)

    def test_rule_174_quotes_and_backslashes_survive(self):
        value = {"q": 'say "hi"', "p": "C:\\new", "n": "a\nb\0c", "u": "ä\U0001f600"}
        self.assertEqual(self.store(value), value)

    def test_rule_175_floats_stay_floats_and_booleans_booleans(self):
        stored = self.store({"f": 3.0, "g": 1e-9, "l": [True, 2.0], "t": False})
        self.assertEqual(stored, {"f": 3.0, "g": 1e-9, "l": [True, 2.0], "t": False})
        self.assertIs(type(stored["f"]), float)
        self.assertIs(stored["l"][0], True)

    def test_other_values_as_documented(self):
        class Odd:
            def __str__(self):
                return "odd"

        self.assertEqual(
            self.store(
                {
                    "n": None,
                    "o": Odd(),
                    "i": 2**40,
                    "y": bytearray(b"z"),
                    5: "k",
                    "d": {"z": 1, "a": [None]},
                    "m": -(2**31),
                }
            ),
            {
                "n": "None",
                "o": "odd",
                "i": float(2**40),
                "y": "z",
                "5": "k",
                "d": {"z": 1, "a": ["None"]},
                "m": -(2**31),
            },
        )

    def test_what_json_cannot_hold_is_refused(self):
        self.store({"a": 1})
        loop = {}
        loop["self"] = loop
        for value in ({"x": float("inf")}, {"x": float("nan")}, loop, {"x": 10**400}):
            self.hub.records.clear()
            self.assertIsNone(self.store(value))
            self.assertError("is not stored")
        self.assertEqual(self.domoticz.Configuration(), {"a": 1})

    def test_refusals_of_the_hub_are_logged(self):
        for reason, words in (("too-large", "stored-bytes"), ("unavailable", "could not write")):
            self.hub.refuse_configuration = reason
            self.assertIsNone(self.store({"a": 1}))
            self.assertError(words)

    def test_a_document_that_is_damaged_is_a_core_error(self):
        self.hub.configuration = "{broken"
        self.assertIsNone(self.domoticz.Configuration())
        self.assertCoreError("cannot be read")
