"""Start, globals and end of a plugin: behaviour spec section 2."""

import hashlib
import marshal
import sys

from plugin_case import HARDWARE, NOT_DEFINED, OK, PARAMETERS, RAISED, PluginCase


class Start(PluginCase):
    def test_rule_011_parameters_exist_in_on_start_and_not_at_import(self):
        self.begin(
            "try:\n    Parameters\n    early = True\nexcept NameError:\n    early = False\n"
            "def onStart():\n    global late\n    late = Parameters['Key']\n"
        )
        self.assertIs(self.plugin.early, False)
        self.assertEqual(self.plugin.late, "K")

    def test_rule_012_hardware_id_is_int_and_port_is_str(self):
        parameters = self.begin().Parameters
        self.assertIs(type(parameters["HardwareID"]), int)
        self.assertEqual(parameters["HardwareID"], 12)
        self.assertIs(type(parameters["Port"]), str)

    def test_rule_013_home_folder_is_the_first_of_the_path(self):
        self.begin("import sys\npath = sys.path[0]\n")
        self.assertEqual(self.plugin.path, self.folder)
        self.assertEqual(self.plugin.Parameters["HomeFolder"], self.plugin.path)
        self.assertTrue(self.plugin.path.endswith("/"))
        self.assertEqual(self.plugin.__file__, self.folder + "plugin.py")

    def test_rule_014_parameters_keep_their_order(self):
        parameters = self.begin().Parameters
        self.assertEqual(tuple(parameters), PARAMETERS)

    def test_rule_015_a_failing_import_is_an_error_with_its_traceback(self):
        self.assertEqual(self.load("import nosuch\ndef onStart():\n    pass\n"), RAISED)
        errors = self.errors()
        self.assertIn("(K)", errors[0])
        self.assertIn("'plugin.py'", errors[0])
        self.assertIn("'" + ":".join([self.folder] + sys.path[1:]) + "'", errors[0])
        self.assertEqual(errors[1], "Traceback (most recent call last):")
        self.assertEqual(errors[2], '  File "%splugin.py", line 1, in <module>' % self.folder)
        self.assertEqual(errors[3].strip(), "import nosuch")
        self.assertEqual(errors[-2], "ModuleNotFoundError: No module named 'nosuch'")
        self.assertIn("`cordon install`", errors[-1])
        self.assertEqual(self.deliver("started"), NOT_DEFINED)

    def test_only_a_module_that_may_be_of_a_package_is_said_to_be_installable(self):
        for source, last in (
            ("raise ModuleNotFoundError(\"No module named 'winreg'\", name='winreg')", "winreg"),
            ("from json import nosuch", "nosuch"),
            ("raise ModuleNotFoundError('not here')", "not here"),
        ):
            self.assertEqual(self.load(source + "\n"), RAISED)
            self.assertIn(last, self.errors()[-1])
            self.assertNotIn("cordon install", self.errors()[-1])

    def test_rule_010_version_and_author_are_told(self):
        self.load("import Domoticz\n", parameters=[("Version", "1.2"), ("Author", "me")])
        self.assertEqual(
            self.lines(origin=HARDWARE), ["the plugin is initialised: version 1.2, author 'me'"]
        )

    def test_rule_010_what_the_definition_does_not_say_is_left_out(self):
        self.load("import Domoticz\n")
        self.assertEqual(self.lines(origin=HARDWARE), ["the plugin is initialised"])

    def test_a_syntax_error_and_an_exit_at_import_are_logged_alike(self):
        self.assertEqual(self.load("def broken(:\n"), RAISED)
        self.assertIn("SyntaxError", self.errors()[-1])
        sys.modules.pop("plugin", None)
        self.assertEqual(self.load("import sys\nsys.exit(3)\n"), RAISED)
        self.assertEqual(self.errors()[-1], "SystemExit: 3")

    def test_code_is_compiled_once_and_handed_over_before_the_plugin_runs(self):
        self.assertEqual(self.load("import Domoticz\n"), OK)
        source_hash, compiled = self.hub.kept_code
        with open(self.folder + "plugin.py", "rb") as file:
            self.assertEqual(source_hash, hashlib.sha256(file.read()).hexdigest())
        self.assertTrue(self.hub.code_is_closed)

    def test_kept_code_runs_instead_of_the_file(self):
        compiled = compile("import Domoticz\nanswer = 42\n", "/plugin/plugin.py", "exec")
        self.assertEqual(self.load("raise SystemError", code=marshal.dumps(compiled)), OK)
        self.assertIsNone(self.hub.kept_code)
        self.assertEqual(sys.modules["plugin"].answer, 42)

    def test_a_missing_plugin_file_is_logged(self):
        self.assertEqual(self.runtime.start(self.setup_record()), RAISED)
        self.assertIn("'plugin.py'", self.errors()[0])
        self.assertIn("FileNotFoundError", self.errors()[-1])

    def test_rule_016_both_api_modules_are_refused(self):
        source = "import Domoticz, sys, types\nsys.modules['DomoticzEx'] = types.ModuleType('x')\n"
        self.assertEqual(self.load(source), RAISED)
        self.assertCoreError("use one or the other")
        self.assertError("API module")
        self.assertEqual(self.deliver("started"), NOT_DEFINED)

    def test_the_extended_module_may_be_imported_by_a_helper_alone(self):
        self.write("helper.py", "import DomoticzEx as api\n")
        self.assertEqual(self.load("from helper import api\n"), OK)
        self.assertEqual(self.plugin.api.Device.__module__, "DomoticzEx")

    def test_rule_016_a_helper_with_the_other_module_is_refused(self):
        self.write("helper.py", "import Domoticz\n")
        self.assertEqual(self.load("import DomoticzEx, helper\n"), RAISED)
        self.assertCoreError("use one or the other")

    def test_a_plugin_may_prefer_the_extended_module(self):
        self.begin(
            api="try:\n    import DomoticzEx as Domoticz\n"
            "except ImportError:\n    import Domoticz\n"
        )
        self.assertEqual(self.domoticz.__name__, "DomoticzEx")

    def test_rule_017_neither_api_module_is_refused(self):
        self.assertEqual(self.load("def onStart():\n    pass\n"), RAISED)
        self.assertCoreError("import one")
        self.assertError("API module")
        self.assertEqual(self.deliver("started"), NOT_DEFINED)

    def test_an_api_module_imported_by_a_helper_counts(self):
        self.write("helper.py", "import Domoticz\n")
        self.assertEqual(self.load("import helper\n"), OK)

    def test_rule_018_api_calls_at_import_are_core_errors(self):
        outcome = self.load(
            "import Domoticz\n"
            "results = [Domoticz.Log('x'), Domoticz.Status('x'), Domoticz.Error('x'),\n"
            "  Domoticz.Debug('x'), Domoticz.Debugging(1), Domoticz.Notifier('n'),\n"
            "  Domoticz.Trace(True), Domoticz.Configuration(), Domoticz.Dump()]\n"
            "interval = Domoticz.Heartbeat(20)\n"
            "device = Domoticz.Device('n', 1)\n"
            "image = Domoticz.Image('x.zip')\n"
            "conn = Domoticz.Connection('n', 'TCP/IP', Port='1')\n"
            "conn.Connect(); conn.Listen(); conn.Send('x')\n"
            "reached = True\n"
        )
        self.assertEqual(outcome, OK)
        self.assertTrue(self.plugin.reached)
        self.assertEqual(self.plugin.results, [None] * 9)
        self.assertEqual(self.plugin.interval, 0)
        self.assertEqual(self.plugin.device.Unit, -1)
        self.assertEqual(len(self.core_errors()), 15)
        self.assertTrue(all("not started" in line for line in self.core_errors()))
        self.assertEqual(len(self.lines(origin=HARDWARE)), 1)
        self.assertEqual(self.hub.calls, [])
        self.assertIsNone(self.hub.pending_interval)

    def test_an_object_made_at_import_stays_unbound(self):
        self.begin("device = Domoticz.Device('n', 1)\n")
        self.plugin.device.Create()
        self.assertCoreError("before the plugin started")
        self.assertEqual(self.hub.created, [])

    def test_settings_are_text_by_name(self):
        plugin = self.begin(settings=[("A", "5"), ("B", "x")])
        self.assertEqual(plugin.Settings, {"A": "5", "B": "x"})

    def test_rule_020_changed_settings_are_another_dictionary(self):
        plugin = self.begin()
        before = plugin.Settings
        self.assertEqual(self.deliver("settings", [("Language", "nl")]), OK)
        self.assertIsNot(plugin.Settings, before)
        self.assertEqual(plugin.Settings, {"Language": "nl"})
        self.assertEqual(before, {"Language": "en"})

    def test_globals_are_plain_dictionaries_in_their_order(self):
        plugin = self.begin()
        names = [n for n in vars(plugin) if n in ("Parameters", "Devices", "Images", "Settings")]
        self.assertEqual(names, ["Parameters", "Devices", "Images", "Settings"])
        for name in names:
            self.assertIs(type(getattr(plugin, name)), dict)
        self.assertEqual(plugin.Images, {})

    def test_devices_are_loaded_by_unit(self):
        self.hub.insert(unit=9, name="nine", n_value=4)
        self.hub.insert(unit=2, name="two")
        plugin = self.begin()
        self.assertEqual(list(plugin.Devices), [2, 9])
        self.assertEqual(plugin.Devices[9].Name, "nine")
        self.assertEqual(plugin.Devices[9].nValue, 4)
        self.assertEqual(plugin.Devices[9].Key, 9)

    def test_helper_modules_do_not_see_the_globals(self):
        self.write("helper.py", "def look():\n    return 'Parameters' in globals()\n")
        plugin = self.begin(
            "import helper\ndef onStart():\n    global seen\n    seen = helper.look()\n"
        )
        self.assertIs(plugin.seen, False)

    def test_a_module_of_the_plugin_goes_before_the_library(self):
        self.write("colorsys.py", "mine = True\n")
        import colorsys

        plugin = self.begin("import colorsys\nmine = colorsys.mine\n")
        self.assertTrue(plugin.mine)
        self.assertFalse(hasattr(colorsys, "mine"))

    def test_the_environment_is_that_of_the_configuration(self):
        self.begin(
            "import os, sys\nseen = dict(os.environ)\nargv = sys.argv\n",
            environment=[("A", "1"), ("B=", "bad")],
        )
        self.assertEqual(self.plugin.seen.pop("A"), "1")
        self.assertEqual(
            set(self.plugin.seen), {"HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "USER"}
        )
        self.assertEqual(self.plugin.argv, [""])

    def test_parameters_are_built_once(self):
        plugin = self.begin("def onHeartbeat():\n    Parameters['Mode1'] = 'x'\n")
        self.deliver("heartbeat")
        self.deliver("settings", [])
        self.assertEqual(plugin.Parameters["Mode1"], "x")


class Stop(PluginCase):
    def test_rule_022_a_connect_in_on_stop_is_left_to_the_hub(self):
        self.begin("def onStop():\n    Domoticz.Connection('n', 'TCP/IP', Port='1').Connect()\n")
        self.hub.refuse_connection = "stopping"
        self.assertEqual(self.deliver("stopping"), OK)
        # The hub writes the normal-level line; nothing is added to it.
        self.assertQuiet()

    def test_entries_of_devices_that_are_none_get_a_notice(self):
        self.begin("def onStop():\n    Devices[3] = 'junk'\n")
        self.assertEqual(self.deliver("stopping"), OK)
        self.assertEqual(self.normals(), ["entry 3 of Devices is no Device"])
