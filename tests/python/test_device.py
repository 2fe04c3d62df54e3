"""Domoticz.Device: behaviour spec sections 3 and 4, rules 23 to 57."""

from plugin_case import NORMAL, OK, PluginCase

# Behaviour spec section 3, written down a second time: TypeName, Type, SubType,
# SwitchType of a new object, first sValue.
TABLE = """
Pressure|243|9|0|
Percentage|243|6|0|
Fan|243|7|0|
Gas|251|2|0|
Voltage|243|8|0|
Text|243|19|0|
Switch|244|73|0|
Alert|243|22|0|No Alert!
Current/Ampere|89|1|0|0.0;0.0;0.0
Sound Level|243|24|0|
Barometer|243|26|0|1021.34;0
Visibility|243|1|0|
Distance|243|27|0|
Counter Incremental|243|28|0|
Soil Moisture|243|3|0|
Leaf Wetness|243|4|0|
kWh|243|29|0|0;0.0
Current (Single)|243|23|0|
Solar Radiation|243|2|0|
Temperature|80|5|0|
Humidity|81|1|0|
Temp+Hum|82|1|0|0.0;50;1
Temp+Hum+Baro|84|1|0|0.0;50;1;1010;1
Wind|86|1|0|0;N;0;0;0;0
Rain|85|3|0|0;0
UV|87|1|0|0;0
Air Quality|249|1|0|
Usage|248|1|0|
Illumination|246|1|0|
Waterflow|243|30|0|
Wind+Temp+Chill|86|4|0|0;N;0;0;0;0
Selector Switch|244|62|18|
On/Off|244|73|0|
Push On|244|73|9|
Push Off|244|73|10|
Contact|244|73|2|
Dimmer|244|73|7|
Motion|244|73|8|
Custom|243|31|0|
Security Panel|32|131|0|
Set Point|242|1|0|
Setpoint|242|1|0|
Thermostat|242|1|0|
Blinds|244|73|3|
BlindsPercentage|244|73|13|
VenetianBlindsUS|244|73|14|
VenetianBlindsEU|244|73|15|
BlindsPercentageWithStop|244|73|21|
BlindsWithStop|244|73|22|
WW|241|1|7|
RGB|241|2|7|
White|241|3|7|
RGB_CW_WW|241|4|7|
LivCol|241|5|7|
RGB_W_Z|241|6|7|
RGB_CW_WW_Z|241|7|7|
CW_WW|241|8|7|
"""


class DeviceCase(PluginCase):
    def setUp(self):
        super().setUp()
        self.begin()
        self.Device = self.domoticz.Device

    def created(self, *args, **kwargs):
        device = self.Device(*args, **kwargs)
        device.Create()
        self.assertQuiet()
        return device


class Construction(DeviceCase):
    def test_rule_023_every_type_name(self):
        rows = [line.split("|") for line in TABLE.strip().split("\n")]
        self.assertEqual(len(rows), 57)
        for name, main, sub, switch, value in rows:
            device = self.Device("n", 1, name)
            self.assertEqual(
                (device.Type, device.SubType, device.SwitchType, device.sValue, device.nValue),
                (int(main), int(sub), int(switch), value, 0),
                name,
            )
        self.assertQuiet()

    def test_rule_024_an_unknown_type_name_is_a_general_device(self):
        device = self.Device("n", 1, "Nonsense")
        self.assertEqual((device.Type, device.SubType), (243, 0))
        self.assertEqual(self.Device("n", 1, "").Type, 243)
        self.assertQuiet()

    def test_rule_025_selector_defaults(self):
        self.assertEqual(
            self.Device("n", 1, "Selector Switch").Options,
            {
                "LevelActions": "|||",
                "LevelNames": "Off|Level1|Level2|Level3",
                "LevelOffHidden": "false",
                "SelectorStyle": "0",
            },
        )

    def test_rule_025_defaults_are_not_shared(self):
        self.Device("n", 1, "Selector Switch").Options["LevelNames"] = "x"
        self.assertEqual(
            self.Device("n", 1, "Selector Switch").Options["LevelNames"], "Off|Level1|Level2|Level3"
        )

    def test_rule_026_empty_options_suppress_the_defaults(self):
        self.assertEqual(self.Device("n", 1, "Selector Switch", Options={}).Options, {})

    def test_options_that_are_no_dictionary_leave_the_defaults(self):
        self.assertEqual(self.Device("n", 1, "Custom", Options="x").Options, {"Custom": "1"})

    def test_rule_027_custom_defaults(self):
        self.assertEqual(self.Device("n", 1, "Custom").Options, {"Custom": "1"})

    def test_rule_028_type_overrides(self):
        device = self.Device("n", 1, "Dimmer", Type=17)
        self.assertEqual((device.Type, device.SubType, device.SwitchType), (17, 73, 7))

    def test_rule_029_switch_type_zero_is_honoured(self):
        self.assertEqual(self.Device("n", 1, "Dimmer", Switchtype=0).SwitchType, 0)
        self.assertEqual(self.Device("n", 1, "Dimmer", Switchtype=-1).SwitchType, 7)

    def test_rule_030_type_zero_is_ignored(self):
        self.assertEqual(self.Device("n", 1, "Dimmer", Type=0).Type, 244)
        self.assertEqual(self.Device("n", 1, "Dimmer", Type=-1, Subtype=-1).SubType, 73)

    def test_rule_031_only_one_is_used(self):
        self.assertEqual(self.Device("n", 1, Used=2).Used, 0)
        self.assertEqual(self.Device("n", 1, Used=True).Used, 1)

    def test_rule_032_default_device_id_is_hexadecimal(self):
        self.assertEqual(self.Device("n", 16).DeviceID, "000C0010")
        self.assertEqual(self.Device("n", 171).DeviceID, "000C00AB")
        self.assertEqual(self.Device("n", 1, DeviceID="mine").DeviceID, "mine")

    def test_rule_033_illegal_units(self):
        for unit in (0, 256, -5):
            self.hub.records.clear()
            device = self.Device("n", unit, "Dimmer", Description="d")
            self.assertEqual(
                (device.Unit, device.Name, device.Description, device.Type, device.DeviceID),
                (-1, "n", "d", 0, ""),
            )
            self.assertEqual(len(self.core_errors()), 1)
            self.assertIn(str(unit), self.core_errors()[0])
            device.Create()
            self.assertError("outside 1 to 255")
        self.assertEqual(self.hub.created, [])

    def test_rule_034_missing_arguments_are_logged_and_not_raised(self):
        device = self.Device(Unit=1)
        errors = self.errors()
        self.assertTrue(errors[0].startswith("Expected"))
        self.assertIn("'Device'", errors[1])
        self.assertTrue(errors[2].startswith("TypeError: "), errors)
        self.assertIn("Name", errors[2])
        self.assertEqual((device.ID, device.Unit, device.Name), (-1, -1, ""))

    def test_wrong_types_are_logged_and_not_raised(self):
        for args, kwargs in (
            (("n", "1"), {}),
            (("n", 1.0), {}),
            ((5, 1), {}),
            (("n", 1, None), {}),
            (("n", 1), {"Nonsense": 1}),
            (("n", 1), {"Switchtype": "x"}),
            (("n", 2**40), {}),
            (("\ud800", 1), {}),
            (("a\0", 1), {}),
        ):
            self.hub.records.clear()
            self.assertEqual(self.Device(*args, **kwargs).Unit, -1)
            self.assertTrue(self.errors()[0].startswith("Expected"), args)

    def test_rule_035_options_are_text(self):
        self.assertEqual(self.Device("n", 1, Options={"a": 1}).Options, {"a": "1"})

    def test_rule_036_defaults(self):
        device = self.Device("n", 1)
        self.assertEqual(
            (
                device.SignalLevel,
                device.BatteryLevel,
                device.LastUpdate,
                device.ID,
                device.TimedOut,
                device.LastLevel,
                device.Color,
                device.Image,
                device.Options,
            ),
            (100, 255, None, -1, 0, 0, "", 0, {}),
        )
        self.assertIs(self.Device("n", True).Unit.__class__, int)

    def test_rule_044_members_are_read_only(self):
        device = self.Device("n", 1)
        for name in (
            "ID",
            "Name",
            "DeviceID",
            "Unit",
            "nValue",
            "sValue",
            "SignalLevel",
            "BatteryLevel",
            "Image",
            "Type",
            "SubType",
            "SwitchType",
            "LastLevel",
            "LastUpdate",
            "Options",
            "Used",
            "TimedOut",
            "Description",
            "Color",
            "Key",
        ):
            with self.assertRaisesRegex(AttributeError, "^readonly attribute$"):
                setattr(device, name, 1)
            with self.assertRaisesRegex(AttributeError, "^readonly attribute$"):
                delattr(device, name)

    def test_the_object_model_is_that_of_native_classes(self):
        device = self.Device("n", 1)
        with self.assertRaises(AttributeError):
            device.Switchtype = 1
        self.assertFalse(hasattr(device, "__dict__"))
        self.assertRegex(repr(device), r"^<Domoticz\.Device object at 0x[0-9a-fA-F]+>$")
        self.assertEqual(repr(self.Device), "<class 'Domoticz.Device'>")
        self.assertNotEqual(device, self.Device("n", 1))

        class Mine(self.Device):
            def __init__(self, Name, Unit):
                super().__init__(Name, Unit)
                self.extra = 5

        self.assertEqual((Mine("n", 3).Unit, Mine("n", 3).extra), (3, 5))


class Rows(DeviceCase):
    def test_rule_037_create_stores_and_refreshes(self):
        device = self.created("n", 1, "Temp+Hum", Used=1, Description="d")
        self.assertEqual(
            (
                device.Name,
                device.SignalLevel,
                device.BatteryLevel,
                device.nValue,
                device.sValue,
                device.ID,
                device.Used,
                device.Description,
            ),
            ("HW - n", 12, 255, 0, "0.0;50;1", 7, 1, "d"),
        )
        self.assertIs(self.plugin.Devices[1], device)
        self.assertRegex(device.LastUpdate, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEqual(self.hub.created[0][:4], (1, "000C0001", "n", True))

    def test_rule_038_creating_twice_is_an_error(self):
        device = self.created("n", 1)
        device.Create()
        self.assertError("exists already")
        self.assertEqual(len(self.hub.created), 1)

    def test_rule_039_an_existing_unit_is_refused(self):
        self.created("n", 1)
        second = self.Device("m", 1)
        second.Create()
        self.assertError("exists already")
        self.assertEqual((second.ID, self.plugin.Devices[1].Name), (-1, "HW - n"))

    def test_rule_040_new_hardware_not_accepted(self):
        self.hub.accepting = False
        self.Device("n", 1).Create()
        self.assertError("does not accept new devices")
        self.assertEqual((self.hub.rows, self.plugin.Devices), ({}, {}))

    def test_a_limit_names_its_figures(self):
        self.hub.refuse_device = (False, "limit", "devices", 255, 255)
        self.Device("n", 1).Create()
        self.assertError("the limit 'devices' is used up (255 of 255)")

    def test_rule_041_text_of_a_device(self):
        self.assertEqual(str(self.created("n", 1)), "ID: 7, Name: 'HW - n', nValue: 0, sValue: ''")

    def test_rule_042_options_come_back_in_order_without_empty_ones(self):
        device = self.created("n", 1, Options={"b": "x", "a": "y", "c": ""})
        device.Refresh()
        self.assertEqual(list(device.Options.items()), [("a", "y"), ("b", "x")])

    def test_rule_043_sub_type_31_keeps_custom_only(self):
        device = self.created("n", 1, "Custom", Options={"Custom": "1;W", "z": "q"})
        self.assertEqual(device.Options, {"Custom": "1;W"})
        device.Update(0, "x", Options={"Custom": "1;V", "y": "q"})
        self.assertEqual(device.Options, {"Custom": "1;V"})

    def test_rule_045_a_missing_value_is_logged_and_changes_nothing(self):
        device = self.created("n", 1)
        self.assertIsNone(device.Update(1))
        self.assertIn("Expected Update(nValue, sValue", self.errors()[0])
        self.assertIn("'Update'", self.errors()[1])
        self.assertIn("sValue", self.errors()[2])
        self.assertEqual(self.hub.changes, [])

    def test_rule_046_a_float_is_no_n_value(self):
        device = self.created("n", 1)
        for args in ((1.0, "x"), ("1", "x"), (1, 5), (1, None), (1, "x", "y")):
            self.hub.records.clear()
            device.Update(*args)
            self.assertIn("Expected Update", self.errors()[0])
        self.assertEqual(self.hub.changes, [])

    def test_rule_047_omitted_levels_keep_their_value(self):
        device = self.created("n", 1)
        device.Update(0, "a", BatteryLevel=50, SignalLevel=7)
        device.Update(0, "b")
        self.assertEqual((device.BatteryLevel, device.SignalLevel), (50, 7))
        self.assertEqual(self.hub.changes[1], (7, {"value": (0, "b", 7, 50)}))

    def test_rule_048_timed_out_is_kept_in_memory(self):
        device = self.created("n", 1)
        device.Update(0, "a", TimedOut=1)
        device.Update(0, "b")
        self.assertEqual(device.TimedOut, 1)
        device.Refresh()
        self.assertEqual(device.TimedOut, 1)
        self.assertEqual([change.get("timed_out") for _, change in self.hub.changes], [1, None])

    def test_rule_049_suppressed_triggers_write_no_value(self):
        device = self.created("n", 1)
        device.Update(1, "old")
        device.Update(5, "new", SuppressTriggers=True)
        self.assertEqual((device.nValue, device.sValue), (1, "old"))
        self.assertEqual(self.hub.changes[1], (7, {}))

    def test_rule_050_a_name_is_absolute(self):
        device = self.created("n", 1)
        device.Update(0, "x", Name="N")
        self.assertEqual(device.Name, "N")

    def test_names_may_hold_an_apostrophe(self):
        device = self.created("n", 1)
        device.Update(0, "x", Name="it's", Description="o'clock")
        self.assertEqual((device.Name, device.Description), ("it's", "o'clock"))

    def test_rule_051_empty_options_clear(self):
        device = self.created("n", 1, Options={"a": "b"})
        device.Update(0, "x", Options="no dictionary")
        self.assertEqual(device.Options, {"a": "b"})
        device.Update(0, "x", Options={})
        self.assertEqual(device.Options, {})

    def test_rules_052_053_colors_are_left_to_the_hub(self):
        device = self.created("n", 1)
        device.Update(0, "x", Color="junk")
        self.assertEqual(self.hub.changes[0][1]["color"], "junk")
        device.Update(0, "x", Color="")
        self.assertEqual(self.hub.changes[1][1]["color"], "")

    def test_a_type_name_changes_the_type(self):
        device = self.created("n", 1, "Text")
        device.Update(3, "v", TypeName="Dimmer")
        self.assertEqual(
            self.hub.changes[0][1],
            {"value": (3, "v", 12, 255), "device_type": 244, "sub_type": 73, "switch_type": 7},
        )
        self.assertEqual((device.Type, device.nValue, device.sValue), (244, 3, "v"))

    def test_a_type_name_with_suppressed_triggers_resets_the_value(self):
        device = self.created("n", 1, "Text")
        device.Update(3, "v", TypeName="kWh", SuppressTriggers=True)
        self.assertEqual((device.SubType, device.nValue, device.sValue), (29, 0, "0;0.0"))
        self.assertEqual(self.hub.changes[0][1]["silent_value"], (0, "0;0.0", 12, 255))

    def test_a_selector_by_type_name_takes_the_default_options(self):
        device = self.created("n", 1)
        device.Update(0, "x", TypeName="Selector Switch")
        self.assertEqual(device.Options["LevelNames"], "Off|Level1|Level2|Level3")
        device.Update(0, "x", TypeName="Custom")
        self.assertEqual(device.Options, {"Custom": "1"})

    def test_properties_that_differ_are_written(self):
        device = self.created("n", 1)
        device.Update(0, "x", Image=9, Used=1, Type=17, Subtype=1, Switchtype=7)
        self.assertEqual(
            self.hub.changes[0][1],
            {
                "value": (0, "x", 12, 255),
                "image": 9,
                "used": 1,
                "device_type": 17,
                "sub_type": 1,
                "switch_type": 7,
            },
        )
        device.Update(0, "x", Image=9, Used=1, Type=17, Subtype=1, Switchtype=7)
        self.assertEqual(self.hub.changes[1][1], {"value": (0, "x", 12, 255)})

    def test_updating_a_row_that_is_gone_is_an_error(self):
        self.Device("n", 1).Update(0, "x")
        self.assertError("create it first")
        self.assertEqual(self.hub.changes, [])
        self.hub.records.clear()
        device = self.created("n", 2)
        self.hub.rows.clear()
        device.Update(0, "x")
        self.assertError("create it first")
        self.assertEqual(self.hub.rows, {})

    def test_an_object_for_an_existing_unit_updates_its_row(self):
        self.created("n", 1)
        other = self.Device("other", 1)
        other.Update(4, "x")
        self.assertEqual((other.ID, other.nValue, other.Name), (7, 4, "HW - n"))

    def test_rule_055_own_changes_make_no_callback(self):
        self.plugin.onDeviceAdded = self.plugin.onDeviceModified = self.plugin.onDeviceRemoved = (
            lambda unit: self.fail("called")
        )
        device = self.created("n", 1)
        device.Update(0, "x")
        device.Delete()
        self.assertQuiet()

    def test_rule_056_delete_keeps_the_members(self):
        device = self.created("n", 1)
        device.Delete()
        self.assertEqual((self.plugin.Devices, self.hub.rows, device.ID), ({}, {}, 7))
        self.assertQuiet()
        device.Create()
        self.assertError("exists already")

    def test_deleting_what_is_not_stored_is_an_error(self):
        self.Device("n", 1).Delete()
        self.assertError("was not deleted")

    def test_rule_057_touch_changes_the_time_only(self):
        device = self.created("n", 1)
        device.Update(3, "v")
        before = (device.nValue, device.sValue, device.Name)
        device.Touch()
        self.assertEqual(device.LastUpdate, "2026-11-21 02:04:00")
        self.assertEqual((device.nValue, device.sValue, device.Name), before)
        self.hub.records.clear()
        self.Device("m", 2).Touch()
        self.assertError("was not touched")

    def test_refresh_reads_the_row_and_ignores_a_missing_one(self):
        device = self.created("n", 1)
        self.hub.rows[7].update(n_value=8, last_level=40)
        device.Refresh()
        self.assertEqual((device.nValue, device.LastLevel), (8, 40))
        self.hub.rows.clear()
        device.Refresh()
        self.assertEqual(device.nValue, 8)
        self.assertQuiet()

    def test_the_device_mask_notes_changes(self):
        self.domoticz.Debugging(8)
        self.hub.records.clear()
        self.Device("n", 1).Create()
        self.assertEqual(self.lines(NORMAL), ["device 'HW - n' (unit 1) was created"])


class Registered(PluginCase):
    SOURCE = (
        "class Mine(Domoticz.Device):\n"
        "    def __init__(self, Name, Unit, *args, **kwargs):\n"
        "        super().__init__(Name, Unit, *args, **kwargs)\n"
        "        self.made_with = (Name, Unit)\n"
        "Domoticz.Register(Mine)\n"
    )

    def test_rule_072_loaded_devices_have_the_registered_class(self):
        self.hub.insert(unit=4, name="four")
        plugin = self.begin(self.SOURCE)
        device = plugin.Devices[4]
        self.assertIs(type(device), plugin.Mine)
        self.assertEqual((device.made_with, device.Name, device.ID), (("", 4), "four", 7))

    def test_a_refresh_of_the_registered_class_is_called(self):
        self.hub.insert(unit=4, name="four")
        plugin = self.begin(
            "class Mine(Domoticz.Device):\n"
            "    def Refresh(self):\n        super().Refresh()\n        self.seen = self.Name\n"
            "Domoticz.Register(Device=Mine)\n"
        )
        self.assertEqual(plugin.Devices[4].seen, "four")

    def test_a_class_that_skips_our_constructor_works(self):
        self.hub.insert(unit=4, name="four")
        plugin = self.begin(
            "class Mine(Domoticz.Device):\n    def __init__(self, Name, Unit):\n        pass\n"
            "Domoticz.Register(Mine)\n"
        )
        plugin.Devices[4].Update(3, "x")
        self.assertQuiet()
        self.assertEqual(self.hub.rows[7]["n_value"], 3)

    def test_devices_added_from_outside_have_the_registered_class(self):
        plugin = self.begin(self.SOURCE)
        self.hub.insert(unit=5, name="five")
        self.deliver("device-added", "000C0005", 5)
        self.assertIs(type(plugin.Devices[5]), plugin.Mine)
        self.assertEqual(plugin.Devices[5].Name, "five")

    def test_a_class_that_raises_costs_its_own_device_only(self):
        self.hub.insert(unit=1)
        self.hub.insert(unit=2)
        self.assertEqual(
            self.load(
                "import Domoticz\nclass Mine(Domoticz.Device):\n"
                "    def __init__(self, Name, Unit):\n"
                "        super().__init__(Name, Unit)\n"
                "        if Unit == 1: raise KeyError('no')\n"
                "Domoticz.Register(Mine)\n"
                "def onStart():\n    global started\n    started = Settings\n"
            ),
            OK,
        )
        self.assertEqual(self.deliver("started"), OK)
        self.assertEqual(list(self.plugin.Devices), [2])
        self.assertEqual(self.plugin.started, {"Language": "en"})
        self.assertEqual(self.errors()[-1], "KeyError: 'no'")

    def test_classes_that_do_not_fit_are_refused(self):
        self.assertEqual(self.load("import Domoticz\nDomoticz.Register(int)\n"), OK)
        self.assertCoreError("must be a subclass of Domoticz.Device")
        self.deliver("started")
        self.hub.records.clear()
        self.plugin.Domoticz.Register(5)
        self.assertError("must be a subclass of Domoticz.Device")
        self.hub.records.clear()
        self.plugin.Domoticz.Register(Unit=int)
        self.assertTrue(self.errors()[0].startswith("Expected Register"))
