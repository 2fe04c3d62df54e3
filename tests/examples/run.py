#!/usr/bin/env python3
"""Runs the official examples of the Domoticz plugin framework, unmodified, each against its device.

The examples are not part of this repository: `--examples` names the folder `plugins/examples` of a checkout of
github.com/domoticz/domoticz. Each runs in a hub of its own. Ends with failure when one does not do its job.
"""

import argparse
import concurrent.futures
import os
import sys
import traceback

from hub import Failed, Site
from scenarios import EXAMPLES


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cordon", required=True, help="the program `cordon`")
    parser.add_argument("--examples", required=True, help="folder plugins/examples of a checkout")
    parser.add_argument(
        "--at-once",
        type=int,
        default=7,
        help="hubs at the same time; most of their time is waiting",
    )
    parser.add_argument("--table", help="Markdown file whose table is written anew")
    parser.add_argument("names", nargs="*", help="only these examples, with their logs")
    arguments = parser.parse_args()
    names = [name for name in EXAMPLES if not arguments.names or name in arguments.names]
    missing = [name for name in names if not os.path.isfile(os.path.join(arguments.examples, name))]
    if missing or not names:
        parser.error(
            "no such example in %s: %s"
            % (arguments.examples, ", ".join(missing or arguments.names))
        )
    with concurrent.futures.ThreadPoolExecutor(arguments.at_once) as pool:
        outcomes = list(pool.map(lambda name: run(arguments, name), names))
    rows = [
        "| %s | %s | %s |" % (name, "yes" if good else "**no**", what)
        for name, (good, what, _) in zip(names, outcomes)
    ]
    table = "\n".join(["| Example | Works | What was seen |", "|---|---|---|"] + rows)
    for name, (good, what, log) in zip(names, outcomes):
        if not good or arguments.names:
            print("== %s: %s\n%s\n" % (name, what, log))
    print(table)
    count = sum(good for good, _, _ in outcomes)
    print("\nofficial examples: %d of %d do their job" % (count, len(names)))
    if arguments.table and not arguments.names:
        write(arguments.table, table)
    return 0 if count == len(names) else 1


def run(arguments, name):
    """Whether it does its job, what was seen, and the log."""
    site = Site(arguments.cordon, arguments.examples)
    try:
        what = EXAMPLES[name](site)
        site.stop()
        return True, what, "\n".join(site.lines)
    except Failed as failure:
        return False, str(failure), "\n".join(site.lines)
    except Exception:
        return False, traceback.format_exc().strip().replace("\n", " / "), "\n".join(site.lines)
    finally:
        site.remove()


def write(path, table):
    """Puts the table in place of the one in the file."""
    with open(path) as file:
        before, rest = file.read().split("<!-- table -->\n", 1)
        after = rest.split("<!-- end of table -->", 1)[1]
    with open(path, "w") as file:
        file.write("%s<!-- table -->\n%s\n<!-- end of table -->%s" % (before, table, after))


if __name__ == "__main__":
    sys.exit(main())
