"""The rows of ``tests/cases/indigo/coverage.tsv`` that cases check.

Such a row has the path ``case`` and names the folders of the cases. A case names its
rows at the steps that check them, as ``SECTION: NAME``: ``9.1: textfield`` for the row
of ``object model: 9.1``, or the last part of the document's name for any other.

``python3 tests/python/indigo_cases.py`` writes the names of the cases into the table,
and adds rows that a case names and the table lacks. With the object model and the
plugin reference as arguments it also names their rows that the table lacks.
"""

import os
import re
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases", "indigo")
TABLE = os.path.join(FOLDER, "coverage.tsv")
COLUMNS = ["document", "name", "path", "test", "note"]

# Sections of the object model whose tables are read, with the columns of the names.
SECTIONS = ("4.1", "4.2", "5", "7", "9.1", "9.2", "9.4", "9.6")
# Part of the plugin reference whose tables are read.
REFERENCE = ("Processing HTTP requests in your plugin", "Usage Guidance")


def rows():
    """All rows of the table."""
    with open(TABLE, encoding="utf-8") as file:
        lines = file.read().split("\n")[:-1]
    assert lines[0].split("\t") == COLUMNS, lines[0]
    return [dict(zip(COLUMNS, line.split("\t"))) for line in lines[1:]]


def mention(row):
    """How a case names a row."""
    return "%s: %s" % (row["document"].partition(": ")[2], row["name"])


def mentions():
    """The rows that cases name, each with the folders of the cases."""
    found = {}
    for name in sorted(os.listdir(FOLDER)):
        path = os.path.join(FOLDER, name, "case.toml")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # Read so, because some Pythons take no line breaks in a table of TOML.
        for listed in re.findall(r"\brows = \[(.*?)\]", text, re.DOTALL):
            for row in re.findall(r'"((?:[^"\\]|\\.)*)"', listed):
                cases = found.setdefault(row.replace('\\"', '"'), [])
                if name not in cases:
                    cases.append(name)
    return found


def document(section):
    """The document that a case's section stands for."""
    if section[0].isdigit():
        return "object model: " + section
    if section == "Processing HTTP requests":
        return "reference: " + section
    return "manual: " + section


def generated():
    """The table as it has to be."""
    named = mentions()
    table = rows()
    for row in table:
        if row["path"] == "case":
            row["test"] = ",".join(named.pop(mention(row), []))
    for row in sorted(named):
        section, _, name = row.partition(": ")
        table.append(
            {
                "document": document(section),
                "name": name,
                "path": "case",
                "test": ",".join(named[row]),
                "note": "",
            }
        )
    return table


def names_in(cell):
    """The names in the first cell of a row: several by comma, if each is a word."""
    parts = [part.strip() for part in cell.split(",")]
    return parts if all(re.fullmatch(r"\w+", part) for part in parts) else [cell.strip()]


def model_rows(text):
    """The rows of the object model's tables about definitions and dialogs."""
    section, inside = None, False
    for line in text.split("\n"):
        heading = re.match(r"#+ (\d+(?:\.\d+)?)\.? ", line)
        if heading:
            section, inside = heading.group(1), False
        elif line.startswith("|") and section in SECTIONS:
            cell = line.split("|")[1].strip()
            if set(cell) == {"-"}:
                inside = True
            elif inside:
                for name in names_in(cell):
                    yield "%s: %s" % (section, name)
        else:
            inside = False


def reference_rows(text):
    """The keys and statuses that the plugin reference has about HTTP."""
    start, end = (text.rindex(part) for part in REFERENCE)
    for line in text[start:end].split("\n"):
        found = re.match(r"([a-z]+(?:_[a-z]+)*|\d{3}) (this|if|any|a|A|One|Only)\b", line)
        if found:
            yield "Processing HTTP requests: " + found.group(1)


def write(table):
    with open(TABLE, "w", encoding="utf-8") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for row in table:
            file.write("\t".join(row[column] for column in COLUMNS) + "\n")


def main(documents):
    table = generated()
    write(table)
    known = {mention(row) for row in table}
    wanted = []
    for path, read in zip(documents, (model_rows, reference_rows)):
        with open(path, encoding="utf-8") as file:
            wanted.extend(read(file.read()))
    for row in sorted(set(wanted) - known):
        print("missing:", row)
    for row in table:
        if row["path"] == "case" and not row["test"]:
            print("no case:", mention(row))


if __name__ == "__main__":
    main(sys.argv[1:])
