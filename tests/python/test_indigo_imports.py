"""Packages that every plugin of Indigo has, and that this hub has not."""

import importlib.util
import re
import sys
import unittest
from pathlib import Path

from indigo_case import IndigoCase

ROOT = Path(__file__).resolve().parents[2]


class Preinstalled(IndigoCase):
    def setUp(self):
        super().setUp()
        imports = self.imports = sys.modules["_cordon_indigo_import"]
        self.known = dict(imports._PREINSTALLED)
        imports._PREINSTALLED["httpx_of_nobody"] = "httpx"
        imports._PREINSTALLED["pillow_of_nobody"] = None
        self.finder = imports._LastFinder("My Lamps.indigoPlugin")
        sys.meta_path.append(self.finder)

    def test_an_import_says_who_has_it_and_what_brings_it(self):
        with self.assertRaises(ModuleNotFoundError) as caught:
            import httpx_of_nobody  # noqa: F401
        self.assertEqual(caught.exception.name, "httpx_of_nobody")
        self.assertEqual(
            str(caught.exception),
            "No module named 'httpx_of_nobody': Indigo preinstalls it, Cordon does not;"
            " `cordon install 'My Lamps.indigoPlugin' httpx` brings it",
        )
        with self.assertRaises(ModuleNotFoundError) as caught:
            import pillow_of_nobody  # noqa: F401
        self.assertIn("it is native", str(caught.exception))

    def test_a_look_for_it_finds_nothing_and_others_are_as_before(self):
        self.assertIsNone(importlib.util.find_spec("httpx_of_nobody"))
        with self.assertRaises(ModuleNotFoundError) as caught:
            import nobody_at_all  # noqa: F401
        self.assertEqual(str(caught.exception), "No module named 'nobody_at_all'")

    def test_the_hub_knows_the_same_packages(self):
        text = (ROOT / "host/packages/src/known.rs").read_text()
        listed = re.search(r"const PREINSTALLED: [^=]*= \[(.*?)\];", text, re.S).group(1)
        listed = set(re.findall(r'"([^"]+)"', listed))
        # Two are parts of the runtime; the native ones have no words here.
        here = {words.split()[0] for words in self.known.values() if words}
        self.assertEqual(
            listed - {"cryptography", "pyserial"} - here, {"matplotlib", "numpy", "pillow"}
        )
        self.assertLessEqual(here, listed)


if __name__ == "__main__":
    unittest.main()
