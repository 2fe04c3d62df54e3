"""The documents lead to each other, and their lists are complete."""

import os
import re
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DECISIONS = os.path.join("docs", "decisions")

_LINK = re.compile(r"\[[^\]]*\]\(([^) ]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(
    r"^\| (\d+) \| \[(.+?)\]\((\S+?)\) \| (\S.*?) \| (\d{4}-\d\d-\d\d) \|$", re.MULTILINE
)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def documents():
    yield from ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")):
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


class Tree:
    """The files of the repository and the functions in Rust, for names as documents write them."""

    def __init__(self):
        self._files = [
            "/" + os.path.relpath(os.path.join(folder, name), ROOT).replace(os.sep, "/")
            for top in ("docs", "guest-runtime", "host", "plugins", "tests", "wit")
            for folder, _, names in os.walk(os.path.join(ROOT, top))
            for name in names
        ]
        rust = "\n".join(read(path[1:]) for path in self._files if path.endswith(".rs"))
        self._functions = set(re.findall(r"\bfn (\w+)", rust))

    def knows(self, name):
        """False for the path of a file or folder, or the name of a test, that does not exist.

        A path may be the end of one, and `{a,b}` stands for several.
        """
        if re.search(r"NNN|NAME|KEY", name):
            return True
        several = re.fullmatch(r"(.*)\{([\w,]+)\}(.*)", name)
        if several:
            before, words, after = several.groups()
            return all(self.knows(before + word + after) for word in words.split(","))
        if re.fullmatch(r"(?:docs|guest-runtime|host|plugins|tests|wit)(?:/[\w.-]+)+", name):
            return os.path.exists(os.path.join(ROOT, name))
        if re.fullmatch(r"[\w.-][\w/.-]*(?:/|\.(?:rs|py|md|toml|wit|tsv))", name):
            tail = "/" + name
            return os.path.exists(os.path.join(ROOT, name)) or any(
                path.endswith(tail) or tail.endswith("/") and tail in path for path in self._files
            )
        if re.fullmatch(r"[a-z]+(?:_[a-z]+){3,}", name):
            return name in self._functions
        return True


class Documents(unittest.TestCase):
    def test_every_link_to_a_file_leads_somewhere(self):
        broken, found = [], 0
        for path in documents():
            text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", read(path)))
            for target in _LINK.findall(text):
                file, _, anchor = target.partition("#")
                if ":" in target or not file:
                    continue
                found += 1
                file = os.path.normpath(os.path.join(os.path.dirname(path), file))
                if not os.path.exists(os.path.join(ROOT, file)):
                    broken.append((path, target))
                elif re.match(r"(?:spec|rule|model)-", anchor):
                    if '<a id="%s"></a>' % anchor not in read(file):
                        broken.append((path, target))
        self.assertGreater(found, 50)
        self.assertEqual(broken, [])

    def test_the_list_of_decisions_is_complete(self):
        rows = _ROW.findall(read(os.path.join(DECISIONS, "README.md")))
        files = sorted(
            name for name in os.listdir(os.path.join(ROOT, DECISIONS)) if re.match(r"\d{4}-", name)
        )
        self.assertEqual([file for _, _, file, _, _ in rows], files)
        for number, title, file, _, _ in rows:
            self.assertEqual(int(file[:4]), int(number))
            heading = read(os.path.join(DECISIONS, file)).partition("\n")[0]
            self.assertTrue(heading.lower().endswith(title.lower()), file)

    def test_every_file_and_test_that_they_name_exists(self):
        tree = Tree()
        for path in ("CONTRIBUTING.md", "docs/architecture.md"):
            names = re.findall(r"`([^`\n]+)`", _FENCE.sub("", read(path)))
            self.assertGreater(len(names), 100)
            missing = [name for name in sorted(set(names)) if not tree.knows(name)]
            self.assertEqual(missing, [], path)

    def test_a_file_or_test_that_is_gone_is_told(self):
        tree = Tree()
        there = ("host/base/src/limits.rs", "limits.rs", "python/{tls,sqlite}/", "host/store/")
        for name in (*there, "every_limit_has_a_test", "make check", "tests/toy", "NAME.wit"):
            self.assertTrue(tree.knows(name), name)
        gone = ("limit.rs", "python/{tls,sq}/", "hos/store/", "tests/to", "no_test_has_this_name")
        for name in gone:
            self.assertFalse(tree.knows(name), name)

    def test_the_words_of_the_glossary_are_in_order(self):
        rows = re.findall(
            r"^\| ([a-z]+) \| (.+) \|$", read(os.path.join("docs", "glossary.md")), re.MULTILINE
        )[1:]
        words = [word for word, _ in rows]
        self.assertEqual(len(words), 20)
        self.assertEqual(words, sorted(words))


if __name__ == "__main__":
    unittest.main()
