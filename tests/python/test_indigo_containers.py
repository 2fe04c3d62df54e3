"""indigo.Dict, indigo.List and the enumerations (object model, sections 15 and 16)."""

import copy
import json
import pickle
import unittest

from indigo_case import IndigoCase


class Dictionaries(IndigoCase):
    def setUp(self):
        super().setUp()
        self.Dict, self.List = self.indigo.Dict, self.indigo.List

    def test_values_of_the_permitted_types_are_kept(self):
        values = {"a": True, "b": 1, "c": 1.5, "d": "x", "e": [1, "2"], "f": {"g": {"h": 1}}}
        made = self.Dict(values)
        self.assertEqual(made.to_dict(), values)
        self.assertIs(type(made["a"]), bool)
        self.assertIs(type(made["e"]), self.List)
        self.assertIs(type(made["f"]["g"]), self.Dict)

    def test_other_types_raise(self):
        made = self.Dict()
        for value in (object(), {1: 2}, {"a": {"b": object()}}, 1j):
            with self.assertRaises(TypeError):
                made["k"] = value
        with self.assertRaises(TypeError):
            made[5] = "x"
        self.assertEqual(made.to_dict(), {})

    def test_keys_that_the_original_refuses(self):
        for key in ("ab c", " ", "", "1st", "-x", ".x", "_under", "caf\u00e9", "a\tb", "a\n"):
            for value in ({key: 1}, {"in": {key: 1}}, {"in": [1, [{key: 1}]]}):
                made = self.Dict({"a": {}})
                with self.assertRaisesRegex(ValueError, "no key for indigo.Dict"):
                    made.update(value)
                with self.assertRaises(ValueError):
                    self.Dict(value)
                with self.assertRaises(ValueError):
                    self.List([value])
                with self.assertRaises(ValueError):
                    made.setitem_in_item("a", "b", value)
                self.assertEqual(made.to_dict(), {"a": {}})
            with self.assertRaises(ValueError):
                made[key] = 1
            with self.assertRaises(ValueError):
                made.setdefault(key, 1)
            with self.assertRaises(ValueError):
                made.setitem_in_item("a", key, 1)
        good = {"abc123": 1, "a/2": 2, "A-_m!@": 3, "xml": 4, "a.b": 5}
        self.assertEqual(self.Dict(good).to_dict(), good)

    def test_keys_that_came_from_the_server_are_copied(self):
        came = self.Dict._over({"my key": 1, "in": {"_ts": [{"1": 2}]}})
        made = self.Dict(came)
        made["again"] = came
        self.assertEqual(made["in"].to_dict(), {"_ts": [{"1": 2}]})
        self.assertEqual(made["again"].to_dict(), came.to_dict())
        for other in (copy.deepcopy(came), pickle.loads(pickle.dumps(came))):
            self.assertEqual(other.to_dict(), came.to_dict())

    def test_bytes_become_text(self):
        made = self.Dict({"a": b"\xc3\xa9", "l": [bytearray(b"x")], "p": b"\x89PNG"})
        self.assertEqual(made.to_dict(), {"a": "é", "l": ["x"], "p": b"\x89PNG"})

    def test_reading_gives_a_copy(self):
        made = self.Dict({"a": [1], "b": {"c": 1}})
        made["a"].append(2)
        made["b"]["c"] = 2
        made.get("a").append(3)
        dict(made.items())["a"].append(4)
        self.assertEqual(made.to_dict(), {"a": [1], "b": {"c": 1}})

    def test_inserting_copies(self):
        inner = [1]
        made = self.Dict(a=inner)
        inner.append(2)
        other = self.Dict({"b": 1})
        made["o"] = other
        other["b"] = 2
        self.assertEqual(made.to_dict(), {"a": [1], "o": {"b": 1}})

    def test_items_in_items_without_copies(self):
        made = self.Dict({"a": [1, 2], "b": {"c": {"d": 1}}})
        made.setitem_in_item("a", 0, 9)
        made.setitem_in_item("b", "e", [1])
        self.assertEqual(made.getitem_in_item("a", 0), 9)
        self.assertEqual(made.getitem_in_item("b", "c").to_dict(), {"d": 1})
        self.assertEqual(made.to_dict(), {"a": [9, 2], "b": {"c": {"d": 1}, "e": [1]}})
        rows = self.List([[1, 2], {"x": 1}])
        rows.setitem_in_item(1, "x", 5)
        self.assertEqual(rows.getitem_in_item(0, 1), 2)
        self.assertEqual(rows.to_list(), [[1, 2], {"x": 5}])
        with self.assertRaises(TypeError):
            made.getitem_in_item("nothing" if False else "a", "x")

    def test_conversions_are_plain_all_the_way_down(self):
        made = self.Dict({"a": {"b": [{"c": 1}]}})
        self.assertIs(type(made.to_dict()["a"]["b"][0]), dict)
        self.assertIs(type(self.List([[1]]).to_list()[0]), list)
        self.assertEqual(dict(made)["a"], {"b": [{"c": 1}]})
        self.assertEqual(list(self.List([1, [2]])), [1, [2]])

    def test_the_ways_of_a_dictionary(self):
        made = self.Dict({"a": 1})
        made.update({"b": 2}, c=3)
        self.assertEqual(made.keys(), ["a", "b", "c"])
        self.assertEqual(made.values(), [1, 2, 3])
        self.assertEqual(list(made.items()), [("a", 1), ("b", 2), ("c", 3)])
        self.assertEqual(list(made), ["a", "b", "c"])
        self.assertTrue(made.has_key("a") and "b" in made and "z" not in made)
        self.assertEqual(made.get("z"), None)
        self.assertEqual(made.get("z", 7), 7)
        self.assertEqual(made.setdefault("d", [1]).to_list(), [1])
        self.assertEqual(made.pop("d").to_list(), [1])
        self.assertEqual(made.pop("d", 4), 4)
        del made["a"]
        self.assertEqual(len(made), 2)
        with self.assertRaises(KeyError):
            made["a"]
        with self.assertRaises(KeyError):
            del made["a"]
        self.assertEqual("{b}".format(**made), "2")
        self.assertEqual(made, {"b": 2, "c": 3})
        made.clear()
        self.assertFalse(made)

    def test_it_may_change_while_somebody_goes_through_it(self):
        made = self.Dict({"a": 1, "b": 2, "c": [3]})
        for key in made:
            del made[key]
        self.assertEqual(made.to_dict(), {})
        made["a"] = 1
        for key in reversed(made):
            made[key + "x"] = 2
        self.assertEqual(made.to_dict(), {"a": 1, "ax": 2})
        self.assertEqual(list(made), ["a", "ax"])

    def test_an_update_that_is_refused_changes_nothing(self):
        made = self.Dict({"a": 1})
        with self.assertRaises(TypeError):
            made.update({"a": 2, "b": object()})
        self.assertEqual(made.to_dict(), {"a": 1})

    def test_copies_are_separate(self):
        made = self.Dict({"a": [1]})
        for other in (
            copy.copy(made),
            copy.deepcopy(made),
            made.copy(),
            pickle.loads(pickle.dumps(made)),
        ):
            self.assertIs(type(other), self.Dict)
            other.setitem_in_item("a", 0, 2)
        self.assertEqual(made.to_dict(), {"a": [1]})

    def test_a_list_may_change_while_somebody_goes_through_it(self):
        made = self.List([1, [2], 3])
        for item in made:
            made.remove(item)
        self.assertEqual(made.to_list(), [])
        made.extend([1, [2]])
        for item in made:
            made.append(item)
        self.assertEqual(made.to_list(), [1, [2], 1, [2]])
        for item in reversed(made):
            made.remove(item)
        self.assertEqual(made.to_list(), [])

    def test_the_ways_of_a_list(self):
        made = self.List([3, 1])
        made.append([5])
        made.extend((2,))
        made.insert(0, {"a": 1})
        made += [7]
        made[1] = 4
        self.assertEqual(made.to_list(), [{"a": 1}, 4, 1, [5], 2, 7])
        self.assertIs(type(made[0]), self.Dict)
        self.assertIs(type(next(iter(made))), self.Dict)
        self.assertEqual(made.pop(), 7)
        self.assertEqual((made + [1]).to_list()[-1], 1)
        del made[0]
        self.assertEqual(made[0], 4)
        # As in the original, there are no slices.
        for slices in (
            lambda: made[1:3],
            lambda: made.__setitem__(slice(0, 1), [1]),
            lambda: made.__delitem__(slice(0, 1)),
        ):
            with self.assertRaisesRegex(TypeError, "no slices"):
                slices()
        with self.assertRaises(TypeError):
            made.append(object())
        with self.assertRaises(IndexError):
            made[99]

    def test_json_of_both(self):
        made = self.Dict({"a": [1, {"b": 2.5}], "c": "é"})
        self.assertEqual(json.loads(json.dumps(made)), {"a": [1, {"b": 2.5}], "c": "é"})
        self.assertEqual(
            json.loads(json.dumps(self.List([made]))), [{"a": [1, {"b": 2.5}], "c": "é"}]
        )

    def test_the_printed_form(self):
        made = self.Dict({"n": 1, "l": [True], "d": {"s": "x"}})
        self.assertEqual(
            str(made).split("\n"),
            [
                "Data : (dict)",
                "     d : (dict)",
                "          s : x (string)",
                "     l : (list)",
                "          Item : True (bool)",
                "     n : 1 (integer)",
            ],
        )

    def test_bottomless_containers_are_refused(self):
        deep = []
        for _ in range(100):
            deep = [deep]
        with self.assertRaises(ValueError):
            self.Dict(a=deep)


class Enumerations(IndigoCase):
    def test_members_are_ints_with_names(self):
        member = self.indigo.kDeviceAction.TurnOn
        self.assertIsInstance(member, int)
        self.assertEqual(
            (str(member), repr(member), member.name),
            ("TurnOn", "indigo.kDeviceAction.TurnOn", "TurnOn"),
        )
        self.assertEqual(f"{member} {member:>8}", "TurnOn   TurnOn")
        self.assertIs(self.indigo.kDeviceAction(int(member)), member)
        self.assertEqual({member: 1}[self.indigo.kDeviceAction.TurnOn], 1)
        self.assertIs(copy.deepcopy(member), member)

    def test_members_compare_by_equality_and_differ(self):
        images = list(self.indigo.kStateImageSel)
        self.assertEqual(len(set(images)), len(images))
        self.assertIn(self.indigo.kHvacMode.Heat, [self.indigo.kHvacMode.Heat])
        self.assertNotEqual(self.indigo.kHvacMode.Heat, self.indigo.kHvacMode.Cool)

    def test_a_universal_action_is_no_other_action_of_a_device(self):
        for universal in self.indigo.kUniversalAction:
            same = [a for a in self.indigo.kDeviceAction if a == universal]
            self.assertEqual([a.name for a in same], [universal.name])
        self.assertEqual(self.indigo.kDeviceAction.TurnOn, self.indigo.kDimmerRelayAction.TurnOn)

    def test_other_names(self):
        indigo = self.indigo
        self.assertIs(indigo.kDeviceAction.On, indigo.kDeviceAction.TurnOn)
        self.assertIs(getattr(indigo.kStateImageSel, "None"), indigo.kStateImageSel.NoImage)
        self.assertIs(indigo.kDeviceSourceType.Device, indigo.kDeviceSourceType.DeviceId)
        self.assertIs(indigo.kDeviceSourceType.AnyAddress, indigo.kDeviceSourceType.AnyDevice)
        self.assertIs(indigo.kDeviceSourceType.Address, indigo.kDeviceSourceType.RawAddress)
        self.assertIs(indigo.powerFailure, indigo.powerFail)
        self.assertEqual(indigo.kRelayDeviceSubType.Plugin, indigo.kRelayDeviceSubType.PlugIn)

    def test_sub_types_are_text(self):
        self.assertEqual(
            self.indigo.kSensorDeviceSubType.Temperature + ",ui=Warm", "Temperature,ui=Warm"
        )

    def test_commands_of_interfaces(self):
        for member in (
            "AllBrighten AllDim AllInstantOff AllInstantOn AllOff AllOn AnyCommand"
            " Brighten Dim InstantOff InstantOn Off On StatusChanged".split()
        ):
            self.assertEqual(getattr(self.indigo.kInsteonCmd, member).name, member)
        for member in (
            "AllOff AllLightsOff AllLightsOn AvButtonPressed AnyCommand Brighten Dim"
            " ExtendedData Off On PresetDim StatusOffResponse StatusOnResponse".split()
        ):
            self.assertEqual(getattr(self.indigo.kX10Cmd, member).name, member)
        for member in (
            "0 1 2 3 4 5 6 7 8 9 AB ChannelDown ChannelUp Display Down Enter Exit"
            " Forward Left Menu Mute Pause PC Play Power Recall Record Return Rewind Right"
            " Stop Title Up VolumeDown VolumeUp".split()
        ):
            self.assertEqual(getattr(self.indigo.kX10AvButton, member).name, member)

    def test_unknown_members_raise(self):
        with self.assertRaises(AttributeError):
            _ = self.indigo.kDeviceAction.Explode
        with self.assertRaises(ValueError):
            self.indigo.kDeviceAction(9999)


if __name__ == "__main__":
    unittest.main()
