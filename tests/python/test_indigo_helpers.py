"""Helpers of the base class and indigo.utils (plugin reference, "Helper Methods";
object model, sections 9.5, 18 and 19.2)."""

import datetime
import json
import sys
import types
import unittest

from indigo_case import IndigoCase


class Substitution(IndigoCase):
    def setUp(self):
        super().setUp()
        self.variable = self.server.add("variables", "Variable", value="warm")["id"]
        self.device = self.server.device(states={"t": 21.5, "on": True})["id"]
        self.nested = self.server.add(
            "variables",
            "Variable",
            value="%%%%d:%d:t%%%% %%%%v:%d%%%%" % (self.device, self.variable),
        )["id"]
        self.begin()

    def test_variables(self):
        self.assertEqual(
            self.plugin.substituteVariable("is %%v:" + str(self.variable) + "%%."), "is warm."
        )
        self.assertEqual(self.plugin.substitute("100 %% of %d"), "100 %% of %d")

    def test_states(self):
        text = "%%d:{0}:t%% %%d:{0}:on%%".format(self.device)
        self.assertEqual(self.plugin.substituteDeviceState(text), "21.5 True")

    def test_variables_first_and_their_values_hold_states(self):
        text = "%%%%v:%d%%%%" % self.nested
        # Markup of variables in the value of a variable stays what it is.
        self.assertEqual(self.plugin.substitute(text), "21.5 %%%%v:%d%%%%" % self.variable)

    def test_validation(self):
        plugin = self.plugin
        good = "%%%%v:%d%%%% %%%%d:%d:t%%%%" % (self.variable, self.device)
        self.assertEqual(plugin.substitute(good, validateOnly=True), (True, ""))
        for text, words in (
            ("%%v:5%%", "no variable with id 5"),
            ("%%v:x%%", "no id"),
            ("%%v:5", "does not end"),
            ("%%d:5:t%%", "no device with id 5"),
            ("%%%%d:%d:zz%%%%" % self.device, "no state 'zz'"),
            ("%%%%d:%d%%%%" % self.device, "needs the id"),
            ("%%d:5:t", "does not end"),
        ):
            with self.subTest(text):
                valid, error = plugin.substitute(text, validateOnly=True)
                self.assertFalse(valid)
                self.assertIn(words, error)
        self.assertEqual(self.server.events, [])

    def test_errors_are_logged_when_it_counts(self):
        self.assertEqual(self.plugin.substitute("a %%v:5%% b"), "a %%v:5%% b")
        self.assertIn("no variable with id 5", self.event_log()[0][1])
        self.assertEqual(self.event_log()[0][0], "Test Error")

    def test_other_names(self):
        text = "%%%%v:%d%%%%" % self.variable
        self.assertEqual(self.plugin.substitute_variable(text), "warm")
        self.assertEqual(self.plugin.substitute_device_state("x"), "x")


class Serial(IndigoCase):
    def setUp(self):
        super().setUp()
        self.opened = []
        module = types.ModuleType("serial")

        def serial_for_url(url, **keywords):
            self.opened.append((url, keywords))
            if "bad" in url:
                raise OSError("no such port")
            return "port"

        module.serial_for_url = serial_for_url
        sys.modules["serial"] = module
        self.begin()

    def test_opening(self):
        self.assertEqual(
            self.plugin.openSerial("owner", "/dev/x", 19200, timeout=1, writeTimeout=2), "port"
        )
        url, keywords = self.opened[0]
        self.assertEqual(
            (url, keywords["baudrate"], keywords["timeout"], keywords["write_timeout"]),
            ("/dev/x", 19200, 1, 2),
        )

    def test_a_port_that_does_not_open(self):
        self.assertIsNone(self.plugin.openSerial("Meter", "/dev/bad", 9600))
        self.assertEqual(
            self.event_log(),
            [("Test Error", "\"Meter\": serial port /dev/bad could not be opened: no such port")],
        )

    def test_the_address_of_a_field(self):
        props = {
            "p_serialConnType": "netSocket",
            "p_serialPortNetSocket": "socket://h:1",
            "p_serialPortLocal": "/dev/x",
            "p_serialPortNetRfc": "rfc2217://h:2",
        }
        url = self.plugin.getSerialPortUrl
        self.assertEqual(url(props, "p"), "socket://h:1")
        self.assertEqual(url({**props, "p_serialConnType": "netRfc2217"}, "p"), "rfc2217://h:2")
        self.assertEqual(url({**props, "p_serialConnType": "local"}, "p"), "/dev/x")

    def test_validating_a_field(self):
        cases = (
            ({"p_serialConnType": "local", "p_serialPortLocal": "/dev/x"}, None),
            ({"p_serialConnType": "local"}, "p_serialPortLocal"),
            ({"p_serialConnType": "netSocket", "p_serialPortNetSocket": "socket://h:1"}, None),
            (
                {"p_serialConnType": "netSocket", "p_serialPortNetSocket": "h:1"},
                "p_serialPortNetSocket",
            ),
            ({"p_serialConnType": "netRfc2217"}, "p_serialPortNetRfc"),
        )
        for values, wrong in cases:
            with self.subTest(values):
                values, errors = self.indigo.Dict(values), self.indigo.Dict()
                self.assertEqual(
                    self.plugin.validateSerialPortUi(values, errors, "p"), wrong is None
                )
                self.assertEqual(errors.keys(), [wrong] if wrong else [])
                self.assertEqual("p_uiAddress" in values, wrong is None)


class OfAMac(IndigoCase):
    def test_a_browser(self):
        self.begin()
        self.plugin.browserOpen("http://x/%s")
        self.assertIn("http://x/%s", self.event_log()[0][1])

    def test_applications(self):
        self.begin()
        with self.assertRaisesRegex(NotImplementedError, "com.apple.Mail"):
            self.plugin.applicationWithBundleIdentifier("com.apple.Mail")

    def test_versions(self):
        base = self.indigo.PluginBase
        self.begin()
        self.assertEqual(base.versStrToTuple("1.2.10"), (1, 2, 10))
        self.assertTrue(base.versGreaterThanOrEq("1.10", "1.9.5"))
        self.assertFalse(base.versGreaterThanOrEq("1.9", "1.9.1"))
        self.assertTrue(base.serverVersCompatWith("3.0"))
        self.assertFalse(base.serverVersCompatWith("9.0"))


class Utils(IndigoCase):
    def setUp(self):
        super().setUp()
        self.utils = self.indigo.utils

    def test_importable_as_a_module(self):
        import importlib

        self.assertIs(importlib.import_module("indigo.utils"), self.utils)

    def test_json(self):
        values = {
            "d": datetime.date(2026, 1, 2),
            "t": datetime.datetime(2026, 1, 2, 3),
            "k": self.indigo.kHvacMode.Heat,
            "l": self.indigo.List([1, {"a": 2}]),
            "n": (self.indigo.kFanMode.Auto,),
        }
        text = json.dumps(values, cls=self.utils.JSONDateEncoder, indent=1)
        self.assertEqual(
            json.loads(text),
            {
                "d": "2026-01-02",
                "t": "2026-01-02T03:00:00",
                "k": "indigo.kHvacMode.Heat",
                "l": [1, {"a": 2}],
                "n": ["indigo.kFanMode.Auto"],
            },
        )
        self.assertIs(self.utils.JSONDateEncoder, self.utils.IndigoJSONEncoder)
        with self.assertRaises(TypeError):
            json.dumps({"a": object()}, cls=self.utils.JSONDateEncoder)

    def test_validation_errors(self):
        error = self.utils.ValidationError("wrong", error_state_str="bad", error_dict={"a": "1"})
        error.add_error("b", "2")
        error.remove_error("a")
        error.remove_error("zzz")
        self.assertEqual(
            (dict(error), str(error), error.error_state_str), ({"b": "2"}, "wrong", "bad")
        )
        with self.assertRaises(self.utils.ValidationError):
            error.raise_if_errors()
        error.remove_error("b")
        error.raise_if_errors()

    def test_static_files(self):
        self.begin()
        path = self.folder + "page.html"
        self.write("page.html", "<p>")
        reply = self.utils.return_static_file(path, path_is_relative=False)
        self.assertIs(type(reply), self.indigo.Dict)
        self.assertEqual(
            reply.to_dict(),
            {"status": 200, "file_path": path, "headers": {"Content-Type": "text/html"}},
        )
        reply = self.utils.return_static_file(
            path.split("/"), status=404, path_is_relative=False, content_type="x/y"
        )
        self.assertEqual((reply["status"], reply["headers"]["Content-Type"]), (404, "x/y"))
        sys.modules["indigo._plugin"].facts["installFolder"] = self.root[:-1]
        reply = self.utils.return_static_file("Contents/Server Plugin/page.html")
        self.assertEqual(reply["file_path"], path)
        with self.assertRaises(FileNotFoundError):
            self.utils.return_static_file("nothing.html")
        self.assertIs(self.utils.FileNotFoundError, FileNotFoundError)
        with self.assertRaises(TypeError):
            self.utils.return_static_file(5)

    def test_words(self):
        for word in ("y", "Yes", "t", "TRUE", "on", "1", "open", "locked", True):
            self.assertIs(self.utils.str_to_bool(word), True)
        for word in ("n", "no", "f", "False", "off", "0", "closed", "unlocked", 0):
            self.assertIs(self.utils.str_to_bool(word), False)
        with self.assertRaises(ValueError):
            self.utils.str_to_bool("perhaps")
        for word, opposite in (
            ("on", "off"),
            ("True", "False"),
            ("NO", "YES"),
            ("1", "0"),
            ("locked", "unlocked"),
        ):
            self.assertEqual(self.utils.reverse_bool_str_value(word), opposite)
        with self.assertRaises(ValueError):
            self.utils.reverse_bool_str_value("perhaps")

    def test_numbers_and_addresses(self):
        self.assertTrue(self.utils.is_int("5") and self.utils.is_int(" -7 "))
        self.assertFalse(self.utils.is_int("5.5") or self.utils.is_int(None))
        self.assertTrue(self.utils.validate_email_address("a.b+c@example.org"))
        for address in ("a@b", "a b@c.d", "@c.d", "", None, "a@b..c"):
            self.assertFalse(self.utils.validate_email_address(address), address)


if __name__ == "__main__":
    unittest.main()
