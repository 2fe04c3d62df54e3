"""That every name of the documents exists, and has a test.

``tests/cases/indigo/coverage.tsv`` has a row for each method, property, key and
member that the plugin reference, the object model and the manual's pages name: where it is described, its
path in module ``indigo``, the test that uses it, and for what is refused why. Paths
with a word in front: ``field`` is an attribute of a class of copies, ``instance`` one
of a plugin's object, ``parameter`` one of a function, ``callback`` what the runtime
calls of a plugin, ``refused`` what raises `NotImplementedError`.
"""

import importlib
import inspect
import os
import unittest

from indigo_case import IndigoCase

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "..", "cases", "indigo", "coverage.tsv")
COLUMNS = ["document", "name", "path", "test", "note"]

# What only a plugin defines: the runtime looks for it and the base class has none.
PLUGINS_OWN = {"runConcurrentThread", "logBroadcast"}


def rows():
    with open(TABLE, encoding="utf-8") as file:
        lines = file.read().split("\n")[:-1]
    assert lines[0].split("\t") == COLUMNS, lines[0]
    return [dict(zip(COLUMNS, line.split("\t"))) for line in lines[1:]]


class Coverage(IndigoCase):
    def setUp(self):
        super().setUp()
        self.begin()
        self.arguments = importlib.import_module("_cordon_indigo_arguments")

    def found(self, path, owner=None):
        """The object that a path names; raises `AttributeError` where there is none."""
        value = self.indigo if owner is None else owner
        for part in path.split("."):
            value = getattr(value, part)
        return value

    def check(self, path):
        word, colon, rest = path.partition(":")
        if not colon:
            self.found(path)
        elif word == "field":
            kind, name = rest.split(":")
            self.assertIn(name, self.found(kind)._fields)
        elif word == "instance":
            self.found(rest, self.plugin)
        elif word == "parameter":
            function, name = rest.split(":")
            self.assertIn(name, inspect.signature(self.found(function)).parameters)
        elif word == "callback":
            known = (rest in self.arguments._ORDER or rest in PLUGINS_OWN
                     or rest == "plugin.METHOD" or hasattr(self.indigo.PluginBase, rest))
            self.assertTrue(known, rest)
        elif word == "refused":
            if rest != "none":
                of_plugin = rest.startswith("PluginBase.")
                function = getattr(self.plugin, rest.partition(".")[2]) if of_plugin \
                    else self.found(rest)
                with self.assertRaises(NotImplementedError):
                    function("x")
        else:
            self.fail("what is %r?" % word)

    def test_every_name_is_there(self):
        for row in rows():
            with self.subTest(row["name"], document=row["document"]):
                self.check(row["path"])

    def test_what_is_refused_says_why(self):
        for row in rows():
            if row["path"].startswith("refused:"):
                self.assertTrue(row["note"], row)

    def test_every_name_has_a_test_that_exists(self):
        for test in sorted({row["test"] for row in rows()}):
            module, case, function = test.split(".")
            kind = getattr(importlib.import_module(module), case)
            self.assertTrue(callable(getattr(kind, function)), test)

    def test_no_row_is_there_twice(self):
        keys = [(row["document"], row["name"]) for row in rows()]
        self.assertEqual(sorted({k for k in keys if keys.count(k) > 1}), [])

    def test_every_member_and_field_of_the_module_has_its_row(self):
        paths = {row["path"] for row in rows()}
        for name in dir(self.indigo):
            value = getattr(self.indigo, name)
            if name.startswith("_") or inspect.ismodule(value):
                continue
            used = any(path == name or path.startswith(name + ".") or ":" + name in path
                       or name in path.split(":")[-1] for path in paths)
            self.assertTrue(used or name in UNDOCUMENTED, name)


# Members of the module that the documents do not name.
UNDOCUMENTED = {"Enumeration", "SubTypes", "ServerError", "server", "host", "BaseElem"}


if __name__ == "__main__":
    unittest.main()
