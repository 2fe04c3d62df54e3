"""That every name of the documents exists, and has a test.

``tests/cases/indigo/coverage.tsv`` has a row for each method, property, key and
member that the plugin reference, the object model and the manual's pages name: where it is
described, its path in module ``indigo``, the test that uses it, and the reason of a refusal.
The path ``case`` stands for facts that only a running plugin shows; `indigo_cases` has more
on it. Paths with a word in front: ``field`` is an attribute of a class of copies,
``instance`` one of a plugin's object, ``parameter`` one of a function, ``callback`` a
function of a plugin that the runtime calls, ``refused`` a name that raises
`NotImplementedError`.
"""

import importlib
import inspect
import unittest

import indigo_cases
from indigo_case import IndigoCase
from indigo_cases import rows

# Names that only a plugin defines: the runtime looks for them and the base class has none.
PLUGINS_OWN = {"runConcurrentThread", "logBroadcast"}


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
        if path == "case":
            return
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
            known = (
                rest in self.arguments._ORDER
                or rest in PLUGINS_OWN
                or rest == "plugin.METHOD"
                or hasattr(self.indigo.PluginBase, rest)
            )
            self.assertTrue(known, rest)
        elif word == "refused":
            if rest != "none":
                of_plugin = rest.startswith("PluginBase.")
                function = (
                    getattr(self.plugin, rest.partition(".")[2]) if of_plugin else self.found(rest)
                )
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
        for test in sorted({row["test"] for row in rows() if row["path"] != "case"}):
            module, case, function = test.split(".")
            kind = getattr(importlib.import_module(module), case)
            self.assertTrue(callable(getattr(kind, function)), test)

    def test_every_row_of_the_cases_is_named_by_the_step_that_checks_it(self):
        named = indigo_cases.mentions()
        for row in rows():
            if row["path"] == "case":
                mention = indigo_cases.mention(row)
                cases = named.pop(mention, [])
                self.assertTrue(cases, "no case names the row %r" % mention)
                self.assertEqual(row["test"], ",".join(cases), mention)
        self.assertEqual(named, {}, "rows that are not in the table")

    def test_no_row_is_there_twice(self):
        keys = [(row["document"], row["name"]) for row in rows()]
        self.assertEqual(sorted({k for k in keys if keys.count(k) > 1}), [])

    def test_every_member_and_field_of_the_module_has_its_row(self):
        paths = {row["path"] for row in rows()}
        for name in dir(self.indigo):
            value = getattr(self.indigo, name)
            if name.startswith("_") or inspect.ismodule(value):
                continue
            used = any(
                path == name
                or path.startswith(name + ".")
                or ":" + name in path
                or name in path.split(":")[-1]
                for path in paths
            )
            self.assertTrue(used or name in UNDOCUMENTED, name)


class Documents(unittest.TestCase):
    """That the rows of the documents are found where they stand."""

    def test_tables_of_the_object_model(self):
        text = "\n".join(
            [
                "### 9.1 Field types",
                "",
                "| type | value |",
                "|---|---|",
                "| textfield | string |",
                "| a, b | two |",
                "| (True, values) | one |",
                "",
                "| no table | 5 |",
                "",
                "### 9.3 List",
                "",
                "| x | y |",
                "|---|---|",
                "| not read | z |",
            ]
        )
        found = list(indigo_cases.model_rows(text))
        self.assertEqual(found, ["9.1: textfield", "9.1: a", "9.1: b", "9.1: (True, values)"])

    def test_tables_of_the_reference(self):
        start, end = indigo_cases.REFERENCE
        text = "\n".join(
            [
                "405 if before",
                start,
                "headers this is a dictionary",
                "Key Value",
                "405 if any method",
                "error One of: a, b",
                end,
                "status this is",
            ]
        )
        found = list(indigo_cases.reference_rows(text))
        section = "Processing HTTP requests: "
        self.assertEqual(found, [section + name for name in ("headers", "405", "error")])


# Members of the module that the documents do not name.
UNDOCUMENTED = {"Enumeration", "SubTypes", "ServerError", "server", "host", "BaseElem"}


if __name__ == "__main__":
    unittest.main()
