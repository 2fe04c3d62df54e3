"""The documents lead to each other, and their lists are complete."""

import os
import re
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DECISIONS = os.path.join("docs", "decisions")

_LINK = re.compile(r"\[[^\]]*\]\(([^) ]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (\d+) \| \[(.+?)\]\((\S+?)\) \| (\S.*?) \| (\d{4}-\d\d-\d\d) \|$",
                  re.MULTILINE)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def documents():
    yield "README.md"
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")):
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


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
        files = sorted(name for name in os.listdir(os.path.join(ROOT, DECISIONS))
                       if re.match(r"\d{4}-", name))
        self.assertEqual([file for _, _, file, _, _ in rows], files)
        for number, title, file, _, _ in rows:
            self.assertEqual(int(file[:4]), int(number))
            heading = read(os.path.join(DECISIONS, file)).partition("\n")[0]
            self.assertTrue(heading.lower().endswith(title.lower()), file)

    def test_the_words_of_the_glossary_are_in_order(self):
        rows = re.findall(r"^\| ([a-z]+) \| (.+) \|$", read(os.path.join("docs", "glossary.md")),
                          re.MULTILINE)[1:]
        words = [word for word, _ in rows]
        self.assertEqual(len(words), 20)
        self.assertEqual(words, sorted(words))


if __name__ == "__main__":
    unittest.main()
