"""Devices and units of the extended framework: behaviour spec 4.4 and 8.2."""

from plugin_case import NOT_DEFINED, OK, RAISED, PluginCase

API = "import DomoticzEx\nDomoticz = DomoticzEx"


class ExtendedCase(PluginCase):
    def begin(self, source="", **changes):
        return super().begin(source, api=API, **changes)

    def row(self, device_id="d", unit=1, name="n", **values):
        values.setdefault("device_type", 243)
        return self.hub.insert(device_id=device_id, unit=unit, name=name, **values)

    def unit(self, **arguments):
        values = {"Name": "n", "DeviceID": "d", "Unit": 1}
        values.update(arguments)
        return self.domoticz.Unit(**values)

    def change(self):
        return self.hub.changes[-1][1]


class Objects(ExtendedCase):
    def setUp(self):
        super().setUp()
        self.begin()

    def test_rule_058_a_created_unit_has_no_prefix_and_is_in_devices(self):
        unit = self.unit(TypeName="Text")
        self.assertEqual(self.plugin.Devices, {})
        unit.Create()
        self.assertQuiet()
        self.assertEqual(unit.Name, "n")
        self.assertIs(self.plugin.Devices["d"].Units[1], unit)
        self.assertIs(unit.Parent, self.plugin.Devices["d"])
        second = self.unit(Unit=2, TypeName="Text")
        self.assertIs(second.Parent, unit.Parent)
        second.Create()
        self.assertEqual(list(self.plugin.Devices["d"].Units), [1, 2])

    def test_two_units_made_before_either_is_stored_end_in_one_device(self):
        first, second = self.unit(), self.unit(Unit=2)
        self.assertIsNot(first.Parent, second.Parent)
        first.Create()
        second.Create()
        self.assertIs(first.Parent, second.Parent)
        self.assertEqual(list(self.plugin.Devices["d"].Units), [1, 2])

    def test_rule_059_a_new_unit_has_defaults(self):
        unit = self.unit()
        self.assertEqual((unit.SignalLevel, unit.BatteryLevel, unit.LastUpdate), (12, 255, ""))
        self.assertEqual((unit.ID, unit.Unit, unit.Color, unit.Options), (-1, 1, "", {}))
        self.assertEqual((unit.Adjustment, unit.Multiplier), (0.0, 0.0))
        unit.Create()
        self.assertEqual((unit.Adjustment, unit.Multiplier), (0.0, 1.0))
        self.hub.rows[unit.ID].update(adjustment=-1.5, multiplier=2.0)
        unit.Refresh()
        self.assertEqual((unit.Adjustment, unit.Multiplier), (-1.5, 2.0))

    def test_rule_060_values_before_create_are_stored(self):
        unit = self.unit()
        unit.nValue, unit.sValue, unit.SignalLevel, unit.BatteryLevel = 3, 4.5, 7, 80
        unit.Create()
        row = self.hub.rows[7]
        self.assertEqual((row["n_value"], row["s_value"]), (3, "4.5"))
        self.assertEqual((row["signal_level"], row["battery_level"]), (7, 80))

    def test_rules_061_and_062_properties_need_their_flag(self):
        unit = self.unit()
        unit.Create()
        unit.Name = "x"
        unit.Update()
        self.assertEqual((unit.Name, self.hub.rows[7]["name"]), ("n", "n"))
        unit.Name, unit.Description, unit.Image, unit.Used = "x", "about", 5, 1
        unit.Update(UpdateProperties=True)
        row = self.hub.rows[7]
        self.assertEqual((unit.Name, row["name"], row["description"]), ("x", "x", "about"))
        self.assertEqual((row["image"], row["used"]), (5, 1))
        unit.Update(UpdateProperties=True)
        self.assertNotIn("name", self.change())

    def test_rules_063_and_064_options_need_their_flag(self):
        unit = self.unit()
        unit.Create()
        unit.Options = {"a": "b"}
        unit.Update()
        self.assertEqual(unit.Options, {})
        unit.Options = {"a": "b"}
        unit.Update(UpdateOptions=True)
        self.assertEqual(unit.Options, {"a": "b"})
        unit.Options = {"c": 1}
        unit.Update(UpdateProperties=True, UpdateOptions=True)
        self.assertEqual(unit.Options, {"c": "1"})

    def test_rules_065_and_067_values_are_stored_as_they_stand(self):
        unit = self.unit()
        unit.Create()
        unit.nValue, unit.sValue = 1, 12
        unit.Update()
        self.assertEqual((unit.nValue, unit.sValue), (1, "12"))
        unit.nValue = 5
        unit.Update(SuppressTriggers=True)
        self.assertEqual(unit.nValue, 1)

    def test_rule_066_a_type_name_resets_the_value(self):
        unit = self.unit(TypeName="Text")
        unit.Create()
        unit.nValue = 9
        unit.Update(TypeName="kWh")
        self.assertEqual((unit.Type, unit.SubType), (243, 29))
        self.assertEqual((unit.nValue, unit.sValue), (0, "0;0.0"))
        unit.Update(TypeName="Selector Switch")
        self.assertEqual(unit.Options["LevelNames"], "Off|Level1|Level2|Level3")

    def test_a_changed_type_goes_with_the_value(self):
        unit = self.unit(Type=243, Subtype=6)
        unit.Create()
        unit.SubType = 7
        unit.Update()
        self.assertEqual((self.hub.rows[7]["sub_type"], len(self.hub.rows)), (7, 1))

    def test_rule_068_numbers_take_numbers_only(self):
        unit = self.unit()
        for value in ("1", 1.5, None):
            with self.assertRaises(TypeError):
                unit.nValue = value
        with self.assertRaises(TypeError):
            del unit.nValue
        with self.assertRaises(TypeError):
            unit.Multiplier = "2"
        unit.nValue, unit.Multiplier = True, 2
        self.assertEqual((unit.nValue, unit.Multiplier), (1, 2.0))
        for name in ("ID", "Unit", "LastUpdate", "Parent"):
            with self.assertRaisesRegex(AttributeError, "^readonly attribute$"):
                setattr(unit, name, 1)
        del unit.Name
        self.assertIsNone(unit.Name)
        with self.assertRaises(AttributeError):
            unit.Unknown = 1

    def test_rule_069_a_deleted_unit_leaves_units(self):
        unit = self.unit()
        unit.Create()
        unit.Delete()
        self.assertEqual((self.hub.rows, self.plugin.Devices["d"].Units), ({}, {}))
        self.assertEqual(unit.ID, 7)
        self.assertQuiet()
        unit.Delete()
        self.assertError("was not deleted")
        unit.Create()
        self.assertError("it exists already")
        self.hub.records.clear()
        unit.Update()
        self.assertError("there is no such device")

    def test_rules_070_and_071_text_forms(self):
        unit = self.unit()
        unit.Create()
        self.assertEqual(str(self.plugin.Devices["d"]), "DeviceID: 'd', Units: 1")
        self.assertEqual(
            str(unit), "Unit: 1, Name: 'n', nValue: 0, sValue: '', LastUpdate: " + unit.LastUpdate
        )
        self.assertTrue(repr(unit).startswith("<DomoticzEx.Unit object at 0x"))
        self.assertTrue(repr(unit.Parent).startswith("<DomoticzEx.Device object at 0x"))

    def test_illegal_units_are_told_and_cannot_be_created(self):
        for number in (0, 256):
            self.hub.records.clear()
            unit = self.unit(Unit=number)
            self.assertCoreError("outside 1 to 255")
            self.assertIsNone(unit.Parent)
            unit.Create()
            self.assertError("was not created")
            unit.Refresh()
            unit.Update()
        self.hub.records.clear()
        self.unit(DeviceID="").Create()
        self.assertCoreError("empty DeviceID")
        self.assertEqual(self.hub.created, [])

    def test_wrong_arguments_are_told_without_an_exception(self):
        unit = self.domoticz.Unit("n", 5, 1)
        self.assertTrue(self.errors()[0].startswith("Expected Unit("))
        self.assertEqual((unit.ID, unit.Unit), (-1, 0))
        self.hub.records.clear()
        self.domoticz.Device()
        self.assertTrue(self.errors()[0].startswith("Expected Device("))
        self.hub.records.clear()
        unit = self.unit()
        unit.Create()
        unit.Update(nValue=1)
        self.assertTrue(self.errors()[0].startswith("Expected Update("))

    def test_constructor_takes_the_arguments_in_order(self):
        unit = self.domoticz.Unit("n", "d", 3, "Dimmer", 17, 4, 0, 9, {"a": 1}, True, "about")
        self.assertEqual((unit.Type, unit.SubType, unit.SwitchType), (17, 4, 0))
        self.assertEqual((unit.Image, unit.Options, unit.Used), (9, {"a": "1"}, 1))
        self.assertEqual((unit.Description, unit.Parent.DeviceID), ("about", "d"))

    def test_touch_and_refresh(self):
        unit = self.unit()
        unit.Touch()
        self.assertError("was not touched")
        unit.Create()
        unit.Touch()
        self.assertEqual(unit.LastUpdate, "2026-11-21 02:04:00")
        self.hub.rows[7]["s_value"] = "new"
        unit.Refresh()
        self.assertEqual(unit.sValue, "new")

    def test_timed_out_reaches_every_unit_and_is_not_stored(self):
        first = self.unit()
        first.Create()
        device = self.plugin.Devices["d"]
        device.TimedOut = 1
        self.assertEqual(self.hub.changes, [(7, {"timed_out": 1})])
        device.TimedOut = True
        self.assertEqual(len(self.hub.changes), 1)
        self.unit(Unit=2).Create()
        self.assertEqual(self.hub.changes[-1], (8, {"timed_out": 1}))
        with self.assertRaises(TypeError):
            device.TimedOut = "1"
        with self.assertRaises(AttributeError):
            device.DeviceID = "x"

    def test_refresh_of_a_device_makes_new_objects(self):
        unit = self.unit()
        unit.Create()
        self.row(unit=2, name="outside")
        device = self.plugin.Devices["d"]
        device.Refresh()
        self.assertEqual([u.Name for u in device.Units.values()], ["n", "outside"])
        self.assertIsNot(device.Units[1], unit)
        self.assertIs(device.Units[2].Parent, device)


class Registered(ExtendedCase):
    CLASSES = (
        "class MyUnit(Domoticz.Unit):\n"
        "    def __init__(self, Name, DeviceID, Unit, TypeName='', Type=0):\n"
        "        super().__init__(Name, DeviceID, Unit, TypeName, Type)\n"
        "        self.extra = 5\n"
        "class MyDevice(Domoticz.Device):\n"
        "    def __init__(self, DeviceID):\n"
        "        super().__init__(DeviceID)\n"
        "        self.extra = DeviceID\n"
        "Domoticz.Register(Device=MyDevice, Unit=MyUnit)\n"
    )

    def test_rule_072_objects_before_on_start_have_the_classes(self):
        self.row("b", 2, "second", n_value=4)
        self.row("a", 1, "first")
        self.begin(self.CLASSES + "def onStart():\n    global seen\n    seen = dict(Devices)\n")
        self.assertEqual(list(self.plugin.seen), ["a", "b"])
        unit = self.plugin.seen["b"].Units[2]
        self.assertIs(type(self.plugin.seen["b"]), self.plugin.MyDevice)
        self.assertIs(type(unit), self.plugin.MyUnit)
        self.assertEqual((unit.Name, unit.nValue, unit.extra), ("second", 4, 5))
        self.assertIs(unit.Parent, self.plugin.seen["b"])
        self.assertQuiet()

    def test_a_new_parent_and_one_from_outside_have_the_class(self):
        self.begin(self.CLASSES)
        unit = self.unit()
        self.assertIs(type(unit.Parent), self.plugin.MyDevice)
        self.row("out", 3)
        self.deliver("device-added", "out", 3)
        self.assertIs(type(self.plugin.Devices["out"].Units[3]), self.plugin.MyUnit)

    def test_a_constructor_that_raises_costs_its_own_unit(self):
        self.row("a", 1)
        self.row("a", 2)
        self.begin(
            "class MyUnit(Domoticz.Unit):\n"
            "    def __init__(self, Name, DeviceID, Unit):\n"
            "        super().__init__(Name, DeviceID, Unit)\n"
            "        1 / (Unit - 1)\n"
            "Domoticz.Register(Domoticz.Device, MyUnit)\n"
            "def onStart():\n    global seen\n    seen = list(Devices['a'].Units), Settings\n"
        )
        self.assertEqual(self.plugin.seen[0], [2])

    def test_classes_of_the_other_kind_are_refused(self):
        self.begin(
            "Domoticz.Register(Device=int)\n"
            "Domoticz.Register(Device=Domoticz.Device, Unit=Domoticz.Device)\n"
        )
        self.hub.records.clear()
        self.domoticz.Register(Unit=self.domoticz.Unit)
        self.assertTrue(self.errors()[0].startswith("Expected Register"))
        self.domoticz.Register(Device=self.domoticz.Unit)
        self.assertError("must be a subclass of DomoticzEx.Device")


class Callbacks(ExtendedCase):
    MODULE = (
        "told = []\n"
        "def onCommand(DeviceID, Unit, Command, Level, Color):\n"
        "    told.append((DeviceID, Unit, Command, Level, Color))\n"
        "def onDeviceAdded(DeviceID, Unit):\n"
        "    told.append(('added', Devices[DeviceID].Units[Unit].Name))\n"
        "def onDeviceModified(DeviceID, Unit):\n"
        "    told.append(('modified', DeviceID, Unit))\n"
        "def onDeviceRemoved(DeviceID, Unit):\n"
        "    told.append(('removed', Unit in Devices[DeviceID].Units))\n"
        "def onSecurityEvent(DeviceID, Unit, Level, Description):\n"
        "    told.append((DeviceID, Unit, Level, Description))\n"
        "def onNotification(*args):\n"
        "    told.append(args)\n"
    )

    def command(self):
        return self.deliver("command", "d", 1, "On", 30, "")

    def test_rule_075_the_module_is_called_without_overrides(self):
        self.row()
        self.begin(self.MODULE)
        self.assertEqual(self.command(), OK)
        self.assertEqual(self.deliver("security", "d", 1, 2, "Armed Away"), OK)
        self.assertEqual(self.plugin.told, [("d", 1, "On", 30, ""), ("d", 1, 2, "Armed Away")])

    def test_rule_074_a_device_overrides_the_module(self):
        self.row()
        self.begin(
            self.MODULE + "class MyDevice(Domoticz.Device):\n"
            "    def onCommand(self, Unit, Command, Level, Color):\n"
            "        told.append((self.DeviceID, 'device', Unit, Command, Level, Color))\n"
            "    def onDeviceRemoved(self, Unit):\n"
            "        told.append(('device', Unit in self.Units))\n"
            "    def onSecurityEvent(self, Unit, Level, Description):\n"
            "        told.append(('device', Unit, Level, Description))\n"
            "Domoticz.Register(Device=MyDevice)\n"
        )
        self.command()
        self.deliver("security", "d", 1, 0, "Disarmed")
        self.deliver("device-removed", "d", 1)
        self.assertEqual(
            self.plugin.told,
            [("d", "device", 1, "On", 30, ""), ("device", 1, 0, "Disarmed"), ("device", True)],
        )
        self.assertEqual(self.plugin.Devices["d"].Units, {})

    def test_rule_073_a_unit_overrides_both(self):
        self.row()
        self.begin(
            self.MODULE + "class MyDevice(Domoticz.Device):\n"
            "    def onCommand(self, *args):\n        told.append('device')\n"
            "class MyUnit(Domoticz.Unit):\n"
            "    def onCommand(self, Command, Level, Color):\n"
            "        told.append((self.Name, Command, Level, Color))\n"
            "    def onDeviceModified(self):\n        told.append(self.Name)\n"
            "    def onSecurityEvent(self, Level, Description):\n"
            "        told.append((Level, Description))\n"
            "Domoticz.Register(MyDevice, MyUnit)\n"
        )
        self.command()
        self.hub.rows[7]["name"] = "renamed"
        self.deliver("device-modified", "d", 1)
        self.deliver("security", "d", 1, 1, "Armed Home")
        self.assertEqual(self.plugin.told, [("n", "On", 30, ""), "renamed", (1, "Armed Home")])

    def test_an_override_that_raises_is_not_followed_by_another(self):
        self.row()
        self.begin(
            self.MODULE + "class MyUnit(Domoticz.Unit):\n"
            "    def onCommand(self, *args):\n        1 / 0\n"
            "    @property\n"
            "    def onDeviceModified(self):\n        raise KeyError\n"
            "Domoticz.Register(Domoticz.Device, MyUnit)\n"
        )
        self.assertEqual(self.command(), RAISED)
        self.assertError("'onCommand'")
        self.assertEqual(self.deliver("device-modified", "d", 1), RAISED)
        self.assertEqual(self.plugin.told, [])

    def test_changes_from_outside(self):
        self.begin(self.MODULE)
        self.row("new", 4, "made outside")
        self.deliver("device-added", "new", 4)
        self.deliver("device-removed", "new", 4)
        self.deliver("device-modified", "none", 1)
        self.assertEqual(
            self.plugin.told,
            [("added", "made outside"), ("removed", True), ("modified", "none", 1)],
        )
        self.assertEqual(self.plugin.Devices["new"].Units, {})
        self.assertError("is not in Devices")

    def test_a_notification_reaches_the_module(self):
        self.begin(self.MODULE)
        notification = ("Lamp", "Lamp >> ON", "Lamp >> ON", "On", 0, "", "")
        self.assertEqual(self.deliver("notification", *notification), OK)
        self.assertEqual(self.plugin.told, [notification])

    def test_a_plugin_without_callbacks_is_left_alone(self):
        self.row()
        self.begin()
        self.assertEqual(self.command(), NOT_DEFINED)
        self.assertEqual(self.deliver("security", "d", 1, 0, "Disarmed"), NOT_DEFINED)
        self.assertEqual(self.deliver("notification", *"1234567"), NOT_DEFINED)
        self.assertQuiet()

    def test_what_is_no_device_is_told_at_the_end(self):
        self.begin("def onStop():\n    Devices['x'] = 5\n")
        self.deliver("stopping")
        self.assertEqual(self.normals(), ["entry 'x' of Devices is no Device"])


class Module(ExtendedCase):
    def test_public_names_are_the_documented_ones(self):
        self.begin()
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
                "Unit",
                "Connection",
                "Image",
            },
        )
        self.assertEqual(self.domoticz.Connection.__module__, "Domoticz")

    def test_objects_at_import_are_core_errors(self):
        self.load(
            "import DomoticzEx\nunit = DomoticzEx.Unit('n', 'd', 1)\n"
            "unit.Create()\nDomoticzEx.Device('d')\n"
        )
        self.assertCoreError("'Unit' is ignored")
        self.assertCoreError("'Device' is ignored")
        self.assertCoreError("'Unit.Create' is ignored")
        self.assertEqual(self.hub.created, [])
