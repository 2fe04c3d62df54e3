"""The two tables of Indigo bundles, and their sums."""

import re

HEAD = [
    "| Bundle | Commit | loads | starts | devices | commands | survives | stops | Why not more, or the last error of its log |",
    "|---|---|---|---|---|---|---|---|---|",
]
EXAMPLE_HEAD = [
    "| Example | starts | devices | dialogs | commands | states | actions | menu | HTTP | told | ends well | First trouble |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
]
# Who keeps a bundle from more.
WHOSE = {
    "service": "its service or device is not there",
    "plugin": "the plugin itself",
    "runtime": "wants native code or macOS",
}


def row(bundle):
    done = is_whole(bundle)
    given = bundle.plugin.get("why")
    whose = bundle.plugin.get("whose")
    if given and not done:
        reason = "%s: %s" % (whose, given)
    else:
        reason = ("log: " if done and bundle.reason else "") + bundle.reason
    return line(
        bundle.name,
        bundle.plugin["commit"],
        bundle.loads,
        bundle.start,
        bundle.devices,
        bundle.commands,
        bundle.survives,
        bundle.stops,
        reason,
    )


def example_row(bundle):
    ends = "yes" if bundle.survives == bundle.stops == "yes" else "no"
    return line(
        bundle.name.split(", ")[1],
        bundle.start,
        bundle.devices,
        bundle.dialogs,
        bundle.commands,
        bundle.states,
        bundle.actions,
        bundle.menu,
        bundle.replies,
        bundle.heard,
        ends,
        bundle.reason,
    )


def is_whole(bundle):
    return (
        bundle.loads == bundle.start == bundle.survives == bundle.stops == "yes"
        and is_all(bundle.devices)
        and is_all(bundle.commands)
    )


def is_all(cell):
    """Whether "N of M" is all of them; where there is none, none is left out."""
    numbers = re.match(r"(\d+) of (\d+)", cell)
    return numbers.group(1) == numbers.group(2) if numbers else True


def summary(bundles):
    """Counts of all bundles and of those that need only pure Python, and who keeps the rest back."""
    words = []
    pure = [it for it in bundles if it.plugin.get("whose") != "runtime"]
    for what, some in (("bundles", bundles), ("bundles that need only pure Python", pure)):
        loads, start, survive, stop = [
            sum(getattr(it, name) == "yes" for it in some)
            for name in ("loads", "start", "survives", "stops")
        ]
        words.append(
            "Of %d %s, %d load, %d start, %d survive 30 seconds, %d stop cleanly; %d do all this with a device of each "
            "type and every command answered."
            % (len(some), what, loads, start, survive, stop, sum(map(is_whole, some)))
        )
    left = [it for it in bundles if not is_whole(it)]
    counts = [
        "%d %s" % (sum(it.plugin.get("whose") == whose for it in left), whose) for whose in WHOSE
    ]
    unknown = [it.name for it in left if "why" not in it.plugin]
    words.append(
        "Of the %d others: %s, %d not explained%s."
        % (len(left), ", ".join(counts), len(unknown), ": " + ", ".join(unknown) if unknown else "")
    )
    return "\n".join(words)


def outdated(bundles):
    """Bundles with an explanation of a trouble that they have no more."""
    return [it.name for it in bundles if "why" in it.plugin and is_whole(it)]


def line(*cells):
    return "| %s |" % " | ".join(
        cell.replace("|", "\\|").replace("\n", " ")[:200] for cell in cells
    )
