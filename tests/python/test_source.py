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


GOOD = """import os


@property
def first(self):
    '''A text
with lines (
'''
    try:
        with open("x") as file:  # a comment:
            values = {
                key: value
                for key, value in file
            }
    except (OSError,
            ValueError):
        pass
    else:
        return [1,
    2]
    finally:
        x = 1 + \\
            2
    match x:
        case 1:
            pass


class Plugin:
\tname = "it's"

\tdef later(self):
\t\tif self.name: return 1
\t\ttry: pass
\t\texcept Exception: pass
\t\treturn {a: b for a, b in {}.items()}
"""


class FirstError(PluginCase):
    """The line that is told when the compiler has found something else."""

    def told(self, text):
        import _cordon_syntax

        far = len(text.split("\n")) - 1
        guess = SyntaxError("a guess", ("x.py", far, 1, ""))
        return _cordon_syntax.first_error(text, "x.py", guess)

    def test_it_is_that_of_the_parser(self):
        lines = GOOD.split("\n")
        broken = {
            "x = = 1": "invalid syntax",
            "if x = 1: pass": None,
            "print 'x'": None,
            "values = {1: 2,, 3: 4}": None,
            "call(1, 2))": None,
            "text = 'open": None,
            "  while": None,
            "x = (1, 2": None,
        }
        tried = 0
        for at in range(1, len(lines) - 2):
            for text in broken:
                whole = "\n".join([*lines[:at], text, *lines[at:]])
                try:
                    compile(whole, "x.py", "exec")
                    continue
                except SyntaxError as failure:
                    right = failure
                found = self.told(whole)
                with self.subTest(at=at, text=text, message=right.msg, found=found.msg):
                    tried += 1
                    # The line that was put in, or where CPython notices it.
                    self.assertIn(found.lineno, (at + 1, right.lineno))
        self.assertGreater(tried, 150)

    def test_every_part_of_a_good_source_is_good(self):
        import _cordon_syntax

        lines = GOOD.split("\n")
        ends, bracket = _cordon_syntax._logical_lines(GOOD)
        self.assertIsNone(bracket)
        for index in range(len(ends)):
            text = _cordon_syntax._completed(lines, ends, index)
            self.assertIsNone(_cordon_syntax._refusal(text, "x.py"), text)

    def test_the_compilers_own_is_kept_when_it_names_that_line(self):
        import _cordon_syntax

        text = "a = 1\nb = = 2\n"
        own = SyntaxError("own words", ("x.py", 2, 1, "b = = 2"))
        self.assertIs(_cordon_syntax.first_error(text, "x.py", own), own)

    def test_a_source_that_only_the_compiler_refuses_keeps_its_words(self):
        import _cordon_syntax

        own = SyntaxError("own words", ("x.py", 9, 1, ""))
        self.assertIs(_cordon_syntax.first_error("return 1\n", "x.py", own), own)
