"""The report of a scenario: its figures, and which of them are as they must be."""

# How many times as long everything may take because of others before a time is no longer judged.
BUSY = 3
JUDGEMENTS = {True: "yes", False: "**no**", None: "machine too busy"}


class Report:
    """Rows of a table; a row without a bound is only there to be known."""

    def __init__(self, name, purpose):
        self.name = name
        self.purpose = purpose
        self.rows = []
        self.notes = []
        # Bounds on time that were not kept where the machine had no core for the hub.
        self.unjudged = 0

    def figure(self, name, value):
        """Adds a figure that is not judged."""
        self.rows.append((name, value, "", True))

    def check(self, name, value, bound, good):
        """Adds a figure with the words of its bound, and whether it keeps it."""
        self.rows.append((name, value, bound, bool(good)))

    def timed(self, name, value, bound, good, share):
        """Adds a time: where it is too long and the machine had no core for the hub, nobody knows whose fault it is."""
        busy = not good and share.stretch > BUSY
        self.unjudged += busy
        self.rows.append((name, value, bound, None if busy else bool(good)))

    def zero(self, name, count):
        """Adds a count that has to be nothing."""
        self.check(name, count, "0", not count)

    def below(self, name, value, bound, unit=""):
        """Adds a figure that has to be less than the bound."""
        self.check(
            name,
            shown(value, unit),
            "below " + shown(bound, unit),
            value is not None and value < bound,
        )

    def note(self, text):
        """Adds a line below the table."""
        self.notes.append(text)

    def notes_of(self, heading, lines, most=8):
        """Adds the first of these lines, and how many were left out."""
        for line in lines[:most]:
            self.note("%s: %s" % (heading, line))
        if len(lines) > most:
            self.note("%s: %d more" % (heading, len(lines) - most))

    @property
    def good(self):
        """Whether every bound was kept; a report without any proves nothing."""
        return any(bound and good for _, _, bound, good in self.rows) and all(
            good is not False for _, _, _, good in self.rows
        )

    def text(self):
        """The report as Markdown."""
        rows = [
            (name, shown(value), bound, "" if not bound else JUDGEMENTS[good])
            for name, value, bound, good in self.rows
        ]
        lines = ["### " + self.name, "", self.purpose, ""] + table(
            ("figure", "seen", "must be", "holds"), rows
        )
        if self.notes:
            lines += [""] + ["- " + note for note in self.notes]
        return "\n".join(lines)


def shown(value, unit=""):
    """A value as it stands in a table."""
    if value is None:
        text = "nothing"
    elif isinstance(value, float):
        text = "%.0f" % value if abs(value) >= 1000 else "%.3g" % value
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10000:
        text = format(value, ",")
    else:
        text = str(value)
    return text + (" " + unit if unit and value is not None else "")


def table(head, rows):
    """Lines of a Markdown table whose columns are as wide as their widest cell."""
    cells = [
        tuple(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        for row in [head, *rows]
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| %s |" % " | ".join(cell.ljust(width) for cell, width in zip(row, widths))
        for row in cells
    ]
    return [lines[0], "|%s|" % "|".join("-" * (width + 2) for width in widths)] + lines[1:]
