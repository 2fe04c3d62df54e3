"""Callbacks and exceptions: behaviour spec section 8."""

from plugin_case import NOT_DEFINED, OK, RAISED, PluginCase


class Calls(PluginCase):
    def test_rules_163_and_164_security_and_notifications_reach_the_module(self):
        self.begin(
            "told = []\ndef onSecurityEvent(Unit, Level, Description):\n"
            "    told.append((Unit, Level, Description))\n"
            "def onNotification(Name, Subject, Text, Status, Priority, Sound, ImageFile):\n"
            "    told.append((Name, Subject, Text, Status, Priority, Sound, ImageFile))\n"
        )
        self.assertEqual(self.deliver("security", "000C0003", 3, 2, "Armed Away"), OK)
        event = ("Lamp", "Lamp >> ON", "Lamp >> ON", "On", 0, "", "")
        self.assertEqual(self.deliver("notification", *event), OK)
        self.assertEqual(self.plugin.told, [(3, 2, "Armed Away"), event])

    def test_rule_153_an_exception_is_logged_line_by_line(self):
        self.begin(
            "calls = []\ndef onMessage(Connection, Data):\n    calls.append(Data)\n"
            "    if Data == b'1':\n        fail()\n"
            "def fail():\n    raise ValueError('first\\nsecond')\n"
        )
        connection = self.domoticz.Connection("n", "TCP/IP", Port="1")
        connection.Connect()
        self.assertEqual(self.deliver("message", 1, b"1"), RAISED)
        path = self.folder + "plugin.py"
        errors = self.errors()
        self.assertIn("'onMessage'", errors[0])
        self.assertEqual(
            errors[1:3],
            ["Traceback (most recent call last):", '  File "%s", line 6, in onMessage' % path],
        )
        self.assertEqual(errors[3], "    fail()")
        self.assertIn('  File "%s", line 8, in fail' % path, errors)
        self.assertEqual(errors[-2:], ["ValueError: first", "second"])
        self.assertFalse(any("_cordon" in line for line in errors), errors)
        self.assertEqual(len(errors), len(self.hub.records))
        self.assertEqual(self.deliver("message", 1, b"2"), OK)
        self.assertEqual(self.plugin.calls, [b"1", b"2"])

    def test_rule_153_chained_exceptions_are_all_shown(self):
        self.begin(
            "def onHeartbeat():\n    try:\n        1/0\n    except Exception as e:\n"
            "        raise KeyError('k') from e\n"
        )
        self.assertEqual(self.deliver("heartbeat"), RAISED)
        self.assertIn("ZeroDivisionError: division by zero", self.errors())
        self.assertEqual(self.errors()[-1], "KeyError: 'k'")

    def test_frames_of_the_api_are_not_shown(self):
        self.begin("def onHeartbeat():\n    Domoticz.Connection('n')\n")
        self.deliver("heartbeat")
        frames = [line for line in self.errors() if line.startswith("  File")]
        self.assertEqual(len(frames), 1, self.errors())
        self.assertIn("plugin.py", frames[0])

    def test_modules_of_the_component_are_the_runtimes_own(self):
        module = __import__("_cordon_traceback")
        self.assertTrue(module.is_own("<cordon _cordon_device>"))
        self.assertTrue(module.is_own("<frozen importlib._bootstrap_external>"))
        self.assertTrue(module.is_own(module.__file__))
        self.assertFalse(module.is_own("/plugin/plugin.py"))
        self.assertFalse(module.is_own("<frozen json>"))

    def test_exits_and_interrupts_end_nothing(self):
        self.begin("import sys\nraised = SystemExit\ndef onHeartbeat():\n    raise raised(3)\n")
        for kind in (SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError):
            self.plugin.raised = kind
            self.hub.records.clear()
            self.assertEqual(self.deliver("heartbeat"), RAISED)
            self.assertEqual(self.errors()[-1], kind.__name__ + ": 3")

    def test_endless_recursion_is_an_exception_like_others(self):
        self.begin("def onHeartbeat():\n    onHeartbeat()\n")
        self.assertEqual(self.deliver("heartbeat"), RAISED)
        self.assertIn("RecursionError", self.errors()[-1])
        self.assertLess(len(self.hub.records), 50)

    def test_an_exception_that_cannot_be_formatted_is_named(self):
        self.begin("def onHeartbeat():\n    raise Odd()\nclass Odd(Exception):\n    pass\n")
        module = __import__("_cordon_traceback")
        module.traceback = None
        self.assertEqual(self.deliver("heartbeat"), RAISED)
        self.assertEqual(self.errors()[1:], ["Odd"])

    def test_the_framework_mask_lists_the_target(self):
        self.begin("a = 1\nempty = ''\n_b = 'two'\ndef onHeartbeat():\n    1/0\n")
        self.domoticz.Debugging(4)
        self.hub.records.clear()
        self.deliver("heartbeat")
        self.assertIn(" ----> 'a'" + " " * 19 + " '1'", self.normals())
        self.assertIn(" ----> '_b'" + " " * 18 + " 'two'", self.normals())
        self.assertFalse(
            any(
                "empty" in line or "onHeartbeat'  " in line or "__name__" in line
                for line in self.normals()
            )
        )

    def test_rule_154_missing_callbacks_are_ignored(self):
        self.begin("onCommand = 5\n")
        connection = self.domoticz.Connection("n", "TCP/IP", Port="1")
        connection.Connect()
        self.assertEqual(self.deliver("timed-out", 1), NOT_DEFINED)
        self.assertEqual(self.deliver("heartbeat"), NOT_DEFINED)
        self.assertEqual(self.deliver("command", "000C0001", 1, "On", 0, ""), NOT_DEFINED)
        self.assertEqual(self.deliver("stopping"), NOT_DEFINED)
        self.assertQuiet()

    def test_callbacks_are_looked_up_at_call_time(self):
        plugin = self.begin("calls = []\n")
        self.assertEqual(self.deliver("heartbeat"), NOT_DEFINED)
        plugin.onHeartbeat = lambda: plugin.calls.append(1)
        self.assertEqual(self.deliver("heartbeat"), OK)
        self.assertEqual(plugin.calls, [1])

    def test_return_values_are_ignored(self):
        self.begin("def onHeartbeat():\n    return 'x'\n")
        self.assertEqual(self.deliver("heartbeat"), OK)

    def test_a_wrong_signature_is_the_plugins_error(self):
        self.begin("def onCommand(Unit):\n    pass\n")
        self.assertEqual(self.deliver("command", "000C0001", 1, "On", 0, ""), RAISED)
        self.assertIn("TypeError", self.errors()[-1])

    def test_rule_155_commands_keep_the_type_of_the_level(self):
        plugin = self.begin("def onCommand(*args):\n    global got\n    got = args\n")
        self.deliver("command", "000C0001", 1, "Set Level", 20.299999237060547, "")
        self.assertEqual(plugin.got, (1, "Set Level", 20.299999237060547, ""))
        self.assertIs(type(plugin.got[2]), float)
        self.deliver("command", "000C0001", 3, "Set Level", 40, "")
        self.assertEqual(plugin.got, (3, "Set Level", 40, ""))
        self.assertIs(type(plugin.got[2]), int)

    def test_a_command_changes_no_device(self):
        self.hub.insert(unit=1)
        plugin = self.begin("def onCommand(*args):\n    pass\n")
        self.deliver("command", "000C0001", 1, "On", 0, "")
        self.assertEqual((plugin.Devices[1].nValue, self.hub.changes), (0, []))

    def test_a_failed_import_gets_no_event(self):
        self.load("1/0\n")
        for event in (("started",), ("heartbeat",), ("stopping",), ("settings", [])):
            self.assertEqual(self.deliver(*event), NOT_DEFINED)

    def test_on_start_runs_once_and_its_exception_is_logged(self):
        self.assertEqual(self.load("import Domoticz\ndef onStart():\n    1/0\n"), OK)
        self.assertEqual(self.deliver("started"), RAISED)
        self.assertIn("'onStart'", self.errors()[0])

    def test_the_queue_mask_names_events(self):
        self.begin()
        self.domoticz.Debugging(128)
        self.hub.records.clear()
        self.deliver("heartbeat")
        self.assertEqual(self.normals(), ["event 'heartbeat'"])


class DeviceEvents(PluginCase):
    SOURCE = (
        "seen = []\n"
        "def look(unit):\n    device = Devices.get(unit)\n"
        "    seen.append((unit, device and device.Name))\n"
        "onDeviceAdded = onDeviceModified = onDeviceRemoved = look\n"
    )

    def test_an_added_device_is_there_before_the_call(self):
        self.begin(self.SOURCE)
        self.hub.insert(unit=3, name="three")
        self.assertEqual(self.deliver("device-added", "000C0003", 3), OK)
        self.assertEqual(self.plugin.seen, [(3, "three")])
        self.assertEqual(self.plugin.Devices[3].ID, 7)

    def test_rule_162_a_modified_device_is_refreshed_first(self):
        row = self.hub.insert(unit=3, name="three")
        self.begin(self.SOURCE)
        device = self.plugin.Devices[3]
        row["name"] = "renamed"
        self.assertEqual(self.deliver("device-modified", "000C0003", 3), OK)
        self.assertEqual(self.plugin.seen, [(3, "renamed")])
        self.assertIs(self.plugin.Devices[3], device)

    def test_a_modified_device_that_is_unknown_is_an_error_and_told(self):
        self.begin(self.SOURCE)
        self.assertEqual(self.deliver("device-modified", "000C0004", 4), OK)
        self.assertError("not in Devices")
        self.assertEqual(self.plugin.seen, [(4, None)])

    def test_rule_161_a_removed_device_is_there_during_the_call(self):
        self.hub.insert(unit=3, name="three")
        self.begin(self.SOURCE)
        self.hub.rows.clear()
        self.assertEqual(self.deliver("device-removed", "000C0003", 3), OK)
        self.assertEqual(self.plugin.seen, [(3, "three")])
        self.assertEqual(self.plugin.Devices, {})

    def test_a_removed_device_goes_without_a_callback_too(self):
        self.hub.insert(unit=3)
        self.begin()
        self.assertEqual(self.deliver("device-removed", "000C0003", 3), NOT_DEFINED)
        self.assertEqual(self.plugin.Devices, {})
