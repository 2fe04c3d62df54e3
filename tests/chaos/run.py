#!/usr/bin/env python3
"""Puts a hub under load and breaks the things it stands on: a table for each scenario, failure when a bound is not kept.

Every scenario runs in a process of its own, those that need it in namespaces of their own, so that neither the
machine's mounts nor its network change. `README.md` names the subject of each.
"""

import argparse
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback

import machine
from report import Report, table
from stage import LeftOut, Stage

# In the order in which they run, the quick ones first.
SCENARIOS = {
    "half": "half",
    "backup": "backup",
    "disk-full": "disk_full",
    "api-starvation": "starvation",
    "sigstop": "sigstop",
    "clock": "clock",
    "stop": "stop",
    "dead-names": "dead_names",
    "kill9": "kill9",
    "mass-start": "mass_start",
    "soak": "soak",
}

GOOD, FAILED, BUSY, SKIPPED = 0, 1, 76, 77
OUTCOMES = {
    GOOD: "holds",
    FAILED: "**fails**",
    SKIPPED: "left out",
    BUSY: "holds, but for times that the machine is too busy to judge",
}


class Interrupted(Exception):
    """The run is told to end; the results up to then are still told."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cordon", required=True, help="the program `cordon`")
    parser.add_argument("--long", action="store_true", help="the long form of each")
    parser.add_argument(
        "--seed", type=int, default=None, help="repeats the random choices of a run"
    )
    parser.add_argument("--logs", help="folder for the logs of the hubs")
    parser.add_argument(
        "--nice",
        type=int,
        default=0,
        help="priority of the scenarios, for a machine that others use as well",
    )
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help="only these: " + ", ".join(SCENARIOS))
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in SCENARIOS]
    if unknown:
        parser.error(
            "no such scenario: %s; there are %s" % (", ".join(unknown), ", ".join(SCENARIOS))
        )
    if not os.access(arguments.cordon, os.X_OK):
        parser.error("no program at %s" % arguments.cordon)
    if arguments.seed is None:
        arguments.seed = time.time_ns() % 100000
    if arguments.logs:
        os.makedirs(arguments.logs, exist_ok=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    try:
        return alone(arguments) if arguments.alone else everything(arguments)
    except Interrupted:
        return FAILED


def interrupt(*_):
    """Raises in the main thread, once: the second signal would hit the cleaning up."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted("told to end")


def everything(arguments):
    """Runs the scenarios one after the other; how many hold."""
    rows = []
    for name in arguments.names or SCENARIOS:
        begun = time.monotonic()
        code = separately(arguments, name)
        rows.append(
            (
                name,
                OUTCOMES.get(code, "**ended with %d**" % code),
                "%.0f s" % (time.monotonic() - begun),
                machine.load(),
            )
        )
        print(flush=True)
    print("\n".join(table(("scenario", "outcome", "took", "load at its end"), rows)))
    bad = [name for name, outcome, _, _ in rows if "**" in outcome]
    print(
        "\nscenarios: %d, of which fail: %s (seed %d, %s form)"
        % (
            len(rows),
            ", ".join(bad) or "none",
            arguments.seed,
            "long" if arguments.long else "short",
        )
    )
    return 1 if bad else 0


def separately(arguments, name):
    """Runs one scenario in a process, and in the namespaces, of its own."""
    namespaces = getattr(importlib.import_module(SCENARIOS[name]), "NAMESPACES", ())
    if namespaces and os.geteuid():
        print(
            "### %s\n\n%s needs root, because it runs in a %s namespace of its own; start it as root, or name the others"
            % (name, name, " and a ".join(namespaces))
        )
        return FAILED
    command = ["unshare", *("--" + kind for kind in namespaces)] if namespaces else []
    command += [
        sys.executable,
        os.path.abspath(__file__),
        "--alone",
        name,
        "--cordon",
        os.path.abspath(arguments.cordon),
        "--seed",
        str(arguments.seed),
        "--nice",
        str(arguments.nice),
    ]
    command += ["--long"] if arguments.long else []
    command += ["--logs", os.path.abspath(arguments.logs)] if arguments.logs else []
    # A session of its own has a share of the processor of its own, where the system divides it by sessions.
    scenario = subprocess.Popen(command, start_new_session=True)
    try:
        return scenario.wait()
    except Interrupted:
        # The scenario has its hubs to end.
        scenario.terminate()
        scenario.wait()
        raise


def alone(arguments):
    """Runs one scenario here and prints its report."""
    name = arguments.alone
    machine.prioritise(arguments.nice)
    scenario = importlib.import_module(SCENARIOS[name])
    stage = Stage(name, arguments.cordon, arguments.long, arguments.seed, arguments.logs)
    report = Report(name, scenario.__doc__.split("\n")[0])
    code = None
    try:
        scenario.run(stage, report)
    except LeftOut as reason:
        code = SKIPPED
        report.note("left out: %s" % reason)
    except Exception as failure:
        code = FAILED
        report.check(
            "the scenario itself",
            "%s: %s" % (type(failure).__name__, failure),
            "goes through",
            False,
        )
        report.notes_of(
            "where", [line.strip() for line in traceback.format_exc().strip().splitlines()[-5:-1]]
        )
    finally:
        try:
            stage.close()
        except Exception as failure:
            code = FAILED
            report.check(
                "the end of the hubs",
                "%s: %s" % (type(failure).__name__, failure),
                "goes through",
                False,
            )
    print(report.text(), flush=True)
    if code is None:
        code = FAILED if not report.good else BUSY if report.unjudged else GOOD
    return code


if __name__ == "__main__":
    sys.exit(main())
