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

    def test_every_file_and_test_of_the_recipes_exists(self):
        files = [
            "/" + os.path.relpath(os.path.join(folder, name), ROOT).replace(os.sep, "/")
            for top in ("docs", "guest-runtime", "host", "tests", "wit")
            for folder, _, names in os.walk(os.path.join(ROOT, top))
            for name in names
        ]
        rust = "\n".join(read(path[1:]) for path in files if path.endswith(".rs"))
        recipes = _FENCE.sub("", read("CONTRIBUTING.md")).partition("\n## Recipes\n")[2]
        missing = []
        for name in sorted(set(re.findall(r"`([^`\n]+)`", recipes))):
            if re.fullmatch(r"[\w/.-]*(?:/|\.(?:rs|py|md|toml|wit|tsv))", name):
                tail = "/" + name
                found = any(
                    path.endswith(tail) or tail.endswith("/") and tail in path for path in files
                )
                stands_for_any = re.search(r"NNN|NAME", name)
                known = found or stands_for_any or os.path.exists(os.path.join(ROOT, name))
            elif re.fullmatch(r"[a-z]+(?:_[a-z]+){3,}", name):
                known = re.search(r"\bfn %s\b" % name, rust)
            else:
                known = True
            if not known:
                missing.append(name)
        self.assertEqual(missing, [])

    def test_the_words_of_the_glossary_are_in_order(self):
        rows = re.findall(
            r"^\| ([a-z]+) \| (.+) \|$", read(os.path.join("docs", "glossary.md")), re.MULTILINE
        )[1:]
        words = [word for word, _ in rows]
        self.assertEqual(len(words), 20)
        self.assertEqual(words, sorted(words))


if __name__ == "__main__":
    unittest.main()
