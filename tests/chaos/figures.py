"""Figures that are read out of a hub's log: heartbeats, how late they were, slopes."""

import re

# A plugin of the scenarios says `beat NUMBER TIME` in each heartbeat, and more behind it.
_BEAT = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+  (?:\w+: )?(\S+): beat (\d+) (\d+\.\d+) ?(.*)$")


class Beats:
    """The heartbeats in some lines, by the name of the hardware."""

    def __init__(self, lines):
        self.of = {}
        for line in lines:
            beat = _BEAT.match(line)
            if beat:
                entry = (int(beat[2]), float(beat[3]), beat[4])
                self.of.setdefault(beat[1], []).append(entry)

    def names(self, *prefixes):
        """Hardware whose name begins with one of these."""
        return [name for name in self.of if not prefixes or name.startswith(prefixes)]

    def late(self, interval, *prefixes, since=0.0, until=float("inf")):
        """By how many seconds each heartbeat in this time came later than an interval after the one before."""
        gaps = []
        for name in self.names(*prefixes):
            for (number, begun, _), (following, moment, _) in zip(self.of[name], self.of[name][1:]):
                # A line may be missing; a number that starts again is another life.
                if following == number + 1 and since <= begun and moment <= until:
                    gaps.append(moment - begun - interval)
        return gaps

    def moments(self, name):
        """When the hardware had its heartbeats."""
        return [moment for _, moment, _ in self.of.get(name, [])]

    def words(self, name, key):
        """The numbers behind `key=` in the hardware's heartbeats."""
        pattern = re.compile(r"\b%s=(-?[\d.]+)" % re.escape(key))
        found = (pattern.search(words) for _, _, words in self.of.get(name, []))
        return [float(it[1]) for it in found if it]


def percentile(values, share):
    """The value that this share of all does not exceed; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def milliseconds(seconds):
    """Seconds as milliseconds; None stays None."""
    return None if seconds is None else seconds * 1000


def slope(points):
    """By how much the second of these pairs grows with the first: the line of least squares."""
    count = len(points)
    if count < 2:
        return 0.0
    middle = sum(x for x, _ in points) / count
    level = sum(y for _, y in points) / count
    spread = sum((x - middle) ** 2 for x, _ in points)
    return sum((x - middle) * (y - level) for x, y in points) / spread if spread else 0.0


def busiest_second(lines):
    """Most lines that have one second in their time."""
    seconds = {}
    for line in lines:
        # The program's own messages have a T in their time.
        if re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.", line):
            seconds[line[11:19]] = seconds.get(line[11:19], 0) + 1
    return max(seconds.values(), default=0)
