"""Plain English in documents and comments: no sentence begins with "What", and few have it.

"What" at the head of a sentence stands for a subject that has no name yet ("What looks at
the disk."), and a text full of it has to be read twice. A header or a title says what a file
holds or does; a sentence names its subject. Rules, for each file:

- its header (the first line of a module's comment, the title of a document) does not begin
  with "What";
- no sentence begins with it; headings of sections may;
- it stands at most four times in 1,000 words, and once in a shorter text.

``python3 tests/python/test_words.py`` prints the figures of each folder, and with
``--places FILE...`` the places.
"""

import ast
import collections
import functools
import io
import os
import re
import sys
import tokenize
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PER_THOUSAND = 4

# Written by programs, or the words of others.
LEFT_OUT = re.compile(
    r"LICENSE|docs/(cpython-tests|domoticz-behaviour|limits|sample-plugins|examples)\.md"
    r"|docs/benchmarks/|guest-runtime/python/(serial|cryptography|Crypto|Cryptodome)/"
    r"|tests/python/test_words\.py"
)
ENDINGS = (".md", ".rs", ".wit", ".py", ".toml", ".sh")
SCRIPTS = (
    "Makefile",
    "guest-runtime/toolchain/setup",
    "guest-runtime/toolchain/build",
    "guest-runtime/toolchain/key",
    ".ci/run",
)

# Folders of things that are built or stored.
SKIPPED = ("target", "__pycache__", "data")

_SENTENCE = re.compile(r"(?:^|[.!?:] )[\"'(*_]*What\b")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"``[^`]+``|`[^`\n]*`|\]\([^)]*\)")

# A line of a file's words: where it stands, its text, whether it is a heading.
Line = collections.namedtuple("Line", "number text heading")
# What was found in a file.
Words = collections.namedtuple("Words", "count header sentences whats")


def files():
    """The files of the repository that are looked at."""
    for folder, below, names in os.walk(ROOT):
        below[:] = [
            name for name in below if name not in SKIPPED and (name[0] != "." or name == ".ci")
        ]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), ROOT).replace(os.sep, "/")
            if (path.endswith(ENDINGS) or path in SCRIPTS) and not LEFT_OUT.match(path):
                yield path


def blank(found):
    """Takes a part out of a text and keeps the lines."""
    return "\n" * found[0].count("\n")


def document_lines(text):
    for number, line in enumerate(_FENCE.sub(blank, text).split("\n"), 1):
        if line.startswith("    ") and "|" not in line and not line.strip().startswith("-"):
            continue
        heading = re.match(r"#+ ", line)
        if "|" in line or re.match(r"\s*(?:[-*>] |\d+\. )", line):
            yield Line(number, "", False)
        for cell in line.split("|"):
            yield Line(number, re.sub(r"^\s*(?:#+ |[-*>] |\d+\. )?", "", cell), bool(heading))


def slash_lines(text):
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r"\s*//[/!]?(?: (.*))?$", line)
        yield Line(number, re.sub(r"^\s*[-*] ", "", found[1] or "") if found else "", False)


def hash_lines(text):
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r"\s*#(?!!)(?: (.*))?$", line)
        yield Line(number, (found[1] or "") if found else "", False)


def python_lines(text):
    lines = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node) is not None:
                said = node.body[0].value
                # A plugin's definition is XML in the same place.
                if "<plugin" not in said.value:
                    for place, line in enumerate(said.value.split("\n")):
                        lines[said.lineno + place] = re.sub(r"^\s*[-*] ", "", line).strip()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0]] = token.string.lstrip("#!").strip()
    for number in range(1, max(lines, default=0) + 1):
        yield Line(number, lines.get(number, ""), False)


def read(path):
    """The lines of a file's words, without code."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".md"):
        lines = document_lines(text)
    elif path.endswith((".rs", ".wit")):
        lines = slash_lines(text)
    elif path.endswith(".py"):
        try:
            lines = list(python_lines(text))
        except (SyntaxError, tokenize.TokenError):
            return []  # A part of a program, or one that is wrong on purpose.
    else:
        lines = hash_lines(text)
    return [line._replace(text=_CODE.sub("`", line.text)) for line in lines]


@functools.cache
def examined(path):
    """How many words a file has, and the places that break a rule: line, rule, text."""
    lines = read(path)
    count = sum(len(_WORD.findall(line.text)) for line in lines)
    return count, list(broken(lines))


def broken(lines):
    """The places in these lines."""
    before, header = "", True
    for line in lines:
        if not line.text.strip():
            before = ""
            continue
        if header and re.match(r"What\b", line.text):
            yield line.number, "header", line.text
        elif not line.heading:
            # A sentence goes on in the next line.
            ended = not before or before.rstrip().endswith((".", "!", "?", ":"))
            joined = line.text if ended else "x " + line.text
            for _ in _SENTENCE.finditer(joined.strip()):
                yield line.number, "sentence", line.text
        for _ in re.finditer(r"\bwhat\b", line.text, re.IGNORECASE):
            yield line.number, "what", line.text
        header, before = False, line.text


def words(path):
    """The figures of a file; ``whats`` are those over the allowance."""
    count, found_places = examined(path)
    rules = collections.Counter(rule for _, rule, _ in found_places)
    allowed = max(1, count * PER_THOUSAND // 1000)
    return Words(count, rules["header"], rules["sentence"], max(0, rules["what"] - allowed))


def found():
    """The files that break a rule, with the numbers of headers, sentences and words."""
    figures = {path: words(path)[1:] for path in files()}
    return {path: numbers for path, numbers in figures.items() if any(numbers)}


def top(path):
    return path.partition("/")[0]


class Sentences(unittest.TestCase):
    def test_every_file_keeps_the_rules(self):
        broken = [
            "%s: %d header, %d sentences, %d times too often" % (path, *numbers)
            for path, numbers in found().items()
        ]
        self.assertEqual(
            broken,
            [],
            "\n" + "\n".join(broken) + "\nplaces: python3 tests/python/test_words.py --places FILE",
        )


class Forms(unittest.TestCase):
    """That places are found where they are and nowhere else."""

    def test_sentences(self):
        for text in ("What it is.", "It is. What it was.", "It is: What", '"What" he said'):
            self.assertTrue(_SENTENCE.search(text), text)
        for text in ("It is what it was.", "Whatever it is.", "He said What"):
            self.assertFalse(_SENTENCE.search(text), text)

    def test_lines_of_each_language(self):
        self.assertEqual(
            [line.text for line in slash_lines("//! A.\ncode // no\n    /// - B.")],
            ["A.", "", "B."],
        )
        self.assertEqual(
            [line.text for line in hash_lines("#!/bin/sh\n# A.\nx = 1  # no")], ["", "A.", ""]
        )
        self.assertEqual(
            [line.text for line in python_lines('"""A.\n\nB."""\nx = 1  # C.\n')],
            ["A.", "", "B.", "C."],
        )
        lines = list(document_lines("# A\n\n```\nWhat\n```\n\n| a | b |\n- c\n"))
        self.assertEqual(
            [line.text.strip() for line in lines if line.text.strip()], ["A", "a", "b", "c"]
        )
        self.assertTrue(lines[0].heading)


def main(arguments):
    if arguments[:1] == ["--places"]:
        for path in arguments[1:]:
            for number, rule, text in examined(path)[1]:
                print("%s:%d: %s: %s" % (path, number, rule, text.strip()))
        return
    sums, counts, whats = collections.Counter(), collections.Counter(), collections.Counter()
    for path in sorted(files()):
        figures = words(path)
        counts[top(path)] += figures.count
        whats[top(path)] += sum(rule == "what" for _, rule, _ in examined(path)[1])
        sums[top(path)] += sum(figures[1:])
        if any(figures[1:]):
            print("%-60s %6d words, %d header, %d sentences, %d times too often" % (path, *figures))
    for folder in sorted(counts):
        print(
            "%-16s %7d words, %4.1f in 1,000 are \"what\", %4d places"
            % (folder, counts[folder], 1000 * whats[folder] / max(counts[folder], 1), sums[folder])
        )


if __name__ == "__main__":
    main(sys.argv[1:])
