"""The hub's table of types against the guest's, which plugins meet as ``TypeName``."""

import os
import re
import unittest

from plugin_case import PluginCase

TABLE = os.path.join(
    os.path.dirname(os.path.abspath(__file__)),
    "..",
    "..",
    "host",
    "domoticz",
    "src",
    "kind",
    "table.rs",
)

# Main type, sub type, name; layout and unit; family, tab, icon; rules, first text; type names.
_ROW = re.compile(
    r'(\d+) (\d+|_) "[^"]*" (\w+)(?:\("\w*"\))? "[^"]*",\s+\w+ \w+ "[^"]*" "\w*" "([^"]*)" \[([^\]]*)\];'
)
_NAME = re.compile(r'"([^"]+)" (\d+|_)')


def rows():
    """Main type, sub type, layout, first text and type names of each row of the hub."""
    with open(TABLE, encoding="utf-8") as file:
        text = file.read()
    text = text.partition("\nkinds! {\n")[2].partition("\n}\n")[0]
    found = _ROW.findall(text)
    if len(found) != text.count("];"):
        raise AssertionError("%d of %d rows can be read" % (len(found), text.count("];")))
    return found


class Kinds(PluginCase):
    def setUp(self):
        super().setUp()
        self.begin()

    def test_the_table_of_the_hub_has_the_type_names_of_the_guest(self):
        import _cordon_types as types

        seen = set()
        for main, sub, layout, first, names in rows():
            for name, switch in _NAME.findall(names):
                if name not in types.TYPES:
                    continue
                seen.add(name)
                device = self.domoticz.Device("n", 1, name)
                self.assertEqual(device.Type, int(main), name)
                self.assertIn(sub, ("_", str(device.SubType)), name)
                self.assertEqual(device.SwitchType, 0 if switch == "_" else int(switch), name)
                # A device of one figure has no text before its first reading.
                composed = ";" in first or layout == "Alert"
                self.assertEqual(device.sValue, first if composed else "", name)
        self.assertEqual(seen, set(types.TYPES))
        self.assertGreaterEqual(len(seen), 56)


if __name__ == "__main__":
    unittest.main()
