"""Sources that the interpreter refuses although they are right."""

import builtins

from plugin_case import OK, RAISED, PluginCase


class Source(PluginCase):
    def setUp(self):
        super().setUp()
        import _cordon_source

        self.source = _cordon_source

    def refusing_comments(self):
        """Makes the compiler refuse any text with this word, as that of the component does."""
        original = builtins.compile

        def refuse(source, path, mode, **options):
            text = source if isinstance(source, str) else source.decode()
            if " for later" in text:
                raise SyntaxError("a word of a comment")
            return original(source, path, mode, **options)

        builtins.compile = refuse
        self.addCleanup(setattr, builtins, "compile", original)

    def run_(self, text):
        names = {}
        exec(self.source.compiled(text.encode(), "/plugin/x.py"), names)
        return names

    def test_what_is_refused_for_a_comment_is_compiled_without_it(self):
        self.refusing_comments()
        names = self.run_(
            'text = "# no comment"\nlong = """#\n# for"""\n'
            "f = dict(a='#', b=2  # for later, 'x\n)\nline = 5 # don't\n"
        )
        self.assertEqual(names["text"], "# no comment")
        self.assertEqual((names["long"], names["f"]), ("#\n# for", {"a": "#", "b": 2}))

    def test_a_mistake_is_told_with_the_text_as_it_is(self):
        with self.assertRaises(SyntaxError) as caught:
            self.source.compiled(b"a = 1  # one\nif a = 2:  # two\n    pass\n", "/plugin/x.py")
        self.assertIn("# two", caught.exception.text)
        self.assertEqual(caught.exception.lineno, 2)

    def test_lines_stay_where_they_are(self):
        self.refusing_comments()
        code = self.source.compiled("a = 1  # for later é\n\n\nraise ValueError\n".encode(), "x")
        try:
            exec(code, {})
        except ValueError as failure:
            self.assertEqual(failure.__traceback__.tb_next.tb_lineno, 4)
        else:
            self.fail("it does not raise")

    def test_the_plugin_is_compiled_so(self):
        self.refusing_comments()
        self.assertEqual(self.load("import Domoticz\nx = dict(a=1  # for later\n)\n"), OK)
        self.assertEqual(self.load("import Domoticz\nx = = 1\n"), RAISED)
