"""The numbers that sources and tests cite are those of the specifications.

Comments say ``spec 4.3``, ``spec 8.4 step 3``, ``rule 42`` and ``object model: 9.1``. Each
of these has to lead to a place in ``docs/domoticz/specification.md`` or in
``docs/indigo/object-model.md``.
"""

import collections
import os
import re
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SPECIFICATION = os.path.join("docs", "domoticz", "specification.md")
MODEL = os.path.join("docs", "indigo", "object-model.md")
BEHAVIOUR = os.path.join("docs", "domoticz-behaviour.md")

FOLDERS = ("host", "guest-runtime", "wit", "tests")
ENDINGS = (".py", ".rs", ".wit", ".toml", ".md", ".tsv")
RULES = 209

# One file's citation of one place: the text as it stands there, and where it leads.
Citation = collections.namedtuple("Citation", "file line text target")

_NUMBER = r"\d{1,2}(?:\.\d{1,2}){0,2}(?![\d.]*\d)"
_LIST = r"(?:%s)(?:(?:, and |, | and | to )(?:%s))*" % (_NUMBER, _NUMBER)
_PART = r"(?:,? (?P<part>Create|Refresh|Update|Delete|Touch)\b)?"
_STEP = r"(?:,?(?: step)? (?P<step>\d{1,2})[a-c]?\b(?!\.\d))?"

# "RFC 9112, 6.3; spec 7.5" is ours, "the MQTT spec 3.1" is not.
SPEC = re.compile(
    r"(?<![A-Z0-9] )\b[Ss]pec(?:ification)? (?:sections? )?(?P<list>%s)%s%s" % (_LIST, _PART, _STEP)
)
STEPS = re.compile(r"\bsteps? (?P<list>%s) of spec (?P<section>%s)" % (_LIST, _NUMBER))
SECTION = re.compile(r"\b[Ss]ections? (?P<list>%s)(?= of the behaviour spec)" % _LIST)
# The protocols' tests begin with the section that they are about.
TESTS_HEADER = re.compile(r"\A//! Sections? (?P<list>%s): " % _LIST)
RULE = re.compile(
    r"\b[Rr]ules? (?P<list>\d{1,3}(?:(?:, and |, | and | to )\d{1,3})*)"
    r"(?![\d.]*\d)(?! of (?!the (?:behaviour )?spec))"
)
NAME = re.compile(r"\b(?:fn|def) \w*?rules?_(?P<list>\d{1,3}(?:_(?:and_)?\d{1,3})*)(?![0-9a-z])")
CASE = re.compile(r"^rules = \[(?P<list>[\d, ]*)\]", re.MULTILINE)
# Numbers of the list of what Domoticz gained in 2026, which cases name.
ADDITION = re.compile(r"(?<![\w.])N(?P<list>[1-9]\d?)\b")
OBJECTS = re.compile(r"\bobject model(?:, sections?|:) (?P<list>%s)" % _LIST)

# Where a comment goes on in the next line.
_WRAP = re.compile(r"\n[ \t]*(?://[/!]?|#(?!\[)|\*)?[ \t]*")
_ANCHOR = re.compile(r'<a id="([a-z0-9-]+)"></a>')
_HEADING = re.compile(r"#{2,4} (?:(\d+(?:\.\d+)?)\.? )?(.+)")
_LINK = re.compile(r"\[[^\]]*\]\(([^) ]+)\)")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def sources():
    """The files whose citations are looked at, but for this one."""
    for top in FOLDERS:
        for folder, below, names in os.walk(os.path.join(ROOT, top)):
            below[:] = sorted(name for name in below if name not in ("target", "__pycache__"))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                if name.endswith(ENDINGS) and name != os.path.basename(__file__):
                    yield path


def numbers(text):
    """The numbers of a list, and for ``A to B`` those between them too."""
    found = []
    for number, joined in re.findall(r"([\d.]*\d)(, and |, | and | to )?", text):
        found.append(number)
        if joined == " to ":
            found.append("to")
    whole = []
    for place, number in enumerate(found):
        if number != "to":
            whole.append(number)
            continue
        *above, first = found[place - 1].split(".")
        last = int(found[place + 1].split(".")[-1])
        whole += [".".join(above + [str(between)]) for between in range(int(first) + 1, last)]
    return whole


def anchor(prefix, number):
    return "%s-%s" % (prefix, number.replace(".", "-"))


def section_targets(found):
    """Where a citation of sections leads: ``1.1, 3 and 4`` are two steps of one section."""
    section, targets = None, []
    for number in numbers(found["list"]):
        if section and "." in section and "." not in number:
            targets.append("%s step %s" % (anchor("spec", section), number))
        else:
            section = number
            targets.append(anchor("spec", number))
    groups = found.groupdict()
    if groups.get("part"):
        targets[-1] += "-" + groups["part"].lower()
    if groups.get("step"):
        targets.append("%s step %s" % (targets[-1], groups["step"]))
    return targets


def step_targets(found):
    section = anchor("spec", found["section"])
    return ["%s step %s" % (section, number) for number in numbers(found["list"])]


def rule_targets(found):
    return [anchor("rule", str(int(number))) for number in numbers(found["list"])]


def name_targets(found):
    return [anchor("rule", str(int(it))) for it in re.findall(r"\d+", found["list"])]


def addition_targets(found):
    return [anchor("n", found["list"])]


def object_targets(found):
    return [anchor("model", number) for number in numbers(found["list"])]


FORMS = (
    (SPEC, section_targets),
    (STEPS, step_targets),
    (SECTION, section_targets),
    (TESTS_HEADER, section_targets),
    (RULE, rule_targets),
    (NAME, name_targets),
    (OBJECTS, object_targets),
)


def citations(path, text):
    """All citations in a file, in the order of their forms."""
    # As long as the text, so that places stay the same.
    joined = _WRAP.sub(lambda wrap: " " * len(wrap[0]), text)
    joined = re.sub(r" {2,}", lambda run: " " + "\0" * (len(run[0]) - 1), joined)
    kept = [place for place, letter in enumerate(joined) if letter != "\0"]
    joined = joined.replace("\0", "")
    forms = [(form, targets, joined, kept) for form, targets in FORMS]
    if path.endswith("case.toml"):
        forms.append((CASE, rule_targets, text, range(len(text))))
        forms.append((ADDITION, addition_targets, text, range(len(text))))
    for form, targets, where, places in forms:
        for found in form.finditer(where):
            line = text.count("\n", 0, places[found.start()]) + 1
            for target in targets(found):
                yield Citation(path.replace(os.sep, "/"), line, found[0].strip(), target)


class Document:
    """One of the two documents: where links and citations can lead."""

    def __init__(self, path):
        self.text = read(path)
        self.anchors = _ANCHOR.findall(self.text)
        self.places = set(self.anchors)
        heading, waiting = [], []
        for line in self.text.split("\n"):
            if _ANCHOR.fullmatch(line):
                waiting += _ANCHOR.findall(line)
            elif _HEADING.match(line):
                heading, waiting = waiting, []
                heading += [
                    above[: above.rindex("-")]
                    for above in heading
                    if above[above.rindex("-") + 1 :].isalpha()
                ]
            elif re.match(r"\d+\. ", line):
                number = line.partition(".")[0]
                self.places.update("%s step %s" % (name, number) for name in heading)

    def broken(self, wanted):
        return [citation for citation in wanted if citation.target not in self.places]


class Specification(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.specification, cls.model = Document(SPECIFICATION), Document(MODEL)
        cls.found = [citation for path in sources() for citation in citations(path, read(path))]

    def cited(self, model):
        return [it for it in self.found if it.target.startswith("model-") == model]

    def assertLead(self, document, wanted):
        broken = ["%s:%d: %s leads nowhere (%s)" % citation for citation in document.broken(wanted)]
        self.assertEqual(broken, [], "\n" + "\n".join(broken))

    def test_every_citation_of_the_specification_leads_somewhere(self):
        self.assertLead(self.specification, self.cited(model=False))

    def test_every_citation_of_the_object_model_leads_somewhere(self):
        self.assertLead(self.model, self.cited(model=True))

    def test_the_citations_are_found(self):
        kinds = collections.Counter(it.target.partition("-")[0] for it in self.found)
        self.assertGreater(kinds["spec"], 200)
        self.assertGreater(kinds["rule"], 300)
        self.assertGreater(kinds["model"], 1000)
        self.assertGreater(kinds["n"], 30)
        tops = {it.file.partition("/")[0] for it in self.found}
        self.assertEqual(tops, set(FOLDERS))

    def test_every_rule_and_every_section_has_its_anchor_once(self):
        rules = [name for name in self.specification.anchors if name.startswith("rule-")]
        self.assertEqual(rules, ["rule-%d" % number for number in range(1, RULES + 1)])
        lines = self.specification.text.split("\n")
        for number in range(1, RULES + 1):
            start = '%d. <a id="rule-%d"></a>' % (number, number)
            self.assertEqual(sum(line.startswith(start) for line in lines), 1, start)
        for document, prefix in ((self.specification, "spec"), (self.model, "model")):
            self.assertEqual(len(document.anchors), len(set(document.anchors)))
            above = None
            for line in filter(None, document.text.split("\n")):
                heading = _HEADING.match(line)
                if heading and heading[1]:
                    self.assertEqual(above, '<a id="%s"></a>' % anchor(prefix, heading[1]))
                above = line

    def test_the_table_of_cases_has_the_same_rules(self):
        listed = re.findall(
            r"^\| \[(\d+)\]\(domoticz/specification\.md#rule-\1\) \|", read(BEHAVIOUR), re.MULTILINE
        )
        self.assertEqual([int(number) for number in listed], list(range(1, RULES + 1)))

    def test_every_link_of_the_documents_leads_somewhere(self):
        for document in (self.specification, self.model):
            own = [target[1:] for target in _LINK.findall(document.text) if target[0] == "#"]
            self.assertGreater(len(own), 10)
            self.assertEqual([name for name in own if name not in document.anchors], [])
            labels = re.findall(r"\]\[([^\]]+)\]", re.sub(r"`[^`\n]*`", "", document.text))
            urls = re.findall(r"^\[([^\]]+)\]: https://", document.text, re.MULTILINE)
            self.assertEqual([label for label in labels if label not in urls], [])


class Forms(unittest.TestCase):
    """That the forms take citations and nothing else."""

    def targets(self, text, path="x.rs"):
        return [citation.target for citation in citations(path, text)]

    def test_sections(self):
        for text, targets in (
            ("// (spec 4.3, Update 3b);", ["spec-4-3-update", "spec-4-3-update step 3"]),
            ("// spec 4.4 Update).", ["spec-4-4-update"]),
            ("// (spec 1.1, 3 and 4).", ["spec-1-1", "spec-1-1 step 3", "spec-1-1 step 4"]),
            ("// behaviour spec 1.2 to 1.4", ["spec-1-2", "spec-1-3", "spec-1-4"]),
            ("// spec 8.4 step 3 lists", ["spec-8-4", "spec-8-4 step 3"]),
            ("// steps 4 to 5 of spec 4.3.", ["spec-4-3", "spec-4-3 step 4", "spec-4-3 step 5"]),
            (
                "// behaviour spec sections 3 and 4, rules 23 to 25.",
                ["spec-3", "spec-4", "rule-23", "rule-24", "rule-25"],
            ),
            ("/// goes on (spec\n    /// 7.3): more", ["spec-7-3"]),
            ("//! Sections 7.5 and 7.6: HTTP.\n", ["spec-7-5", "spec-7-6"]),
            ("//! Section 7 of the behaviour spec", ["spec-7"]),
        ):
            self.assertEqual(self.targets(text), targets, text)

    def test_rules(self):
        for text, targets in (
            ("# (rules 12 and 14).", ["rule-12", "rule-14"]),
            ("# Rules 1, 2, 3.\n", ["rule-1", "rule-2", "rule-3"]),
            ("    # by two (rules\n    # 96 and 97).", ["rule-96", "rule-97"]),
            ("def test_rule_058_a_unit(self)", ["rule-58"]),
            ("async fn it_is_told_rules_93_95() {", ["rule-93", "rule-95"]),
            ("def test_rules_061_and_062_a_flag", ["rule-61", "rule-62"]),
        ):
            self.assertEqual(self.targets(text), targets, text)
        self.assertEqual(
            self.targets("about = 'x'\nrules = [1, 20]\n", "case.toml"), ["rule-1", "rule-20"]
        )

    def test_what_is_no_citation(self):
        for text in (
            "# rule 8 of RFC 1035",
            "# the MQTT spec 3.1",
            "spec.limits.inbox",
            "# rules 3.5 times",
            "rule(1)",
            "# Section 4 of RFC 1",
            "rules = [1]",
        ):
            self.assertEqual(self.targets(text), [], text)

    def test_a_citation_of_nothing_is_told_with_its_place(self):
        text = "\n\n// (spec 99.1), rule %d and spec 8.4 step 9\n" % (RULES + 1)
        broken = Document(SPECIFICATION).broken(citations("host/x.rs", text))
        self.assertEqual(
            [tuple(citation) for citation in broken],
            [
                ("host/x.rs", 3, "spec 99.1", "spec-99-1"),
                ("host/x.rs", 3, "spec 8.4 step 9", "spec-8-4 step 9"),
                ("host/x.rs", 3, "rule %d" % (RULES + 1), "rule-%d" % (RULES + 1)),
            ],
        )


if __name__ == "__main__":
    unittest.main()
