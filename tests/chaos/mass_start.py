"""Very many plugins that import a large package all come up, with the default limits, and the API answers."""

import os
import subprocess
import time

from client import Watch
from hub import Failed
from machine import Delay, Share, available

PACKAGE = "requests"
API_BOUND = 1.0
# KiB of the machine's memory that the scenario leaves to others: it fails before it takes these.
RESERVE = 4 << 20


def run(stage, report):
    count = stage.choose(100, 1000)
    site = stage.site(count)
    site.several(count, "E", "Importer.py")
    report.figure("installed", install(stage, os.path.join(site.folder, "plugins", "Importer")))
    for which in ("first start", "second start"):
        start(stage, site, report, count, which)


def install(stage, folder):
    """Puts the package beside the plugin as an operator does; pip's own settings say from where."""
    done = subprocess.run(
        [stage.cordon, "install", folder, PACKAGE], capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise Failed(
            "`cordon install` could not get %s: %s; the scenario needs PyPI, or a pip that is told of a mirror "
            "or of a folder with wheels (PIP_INDEX_URL, PIP_FIND_LINKS)"
            % (PACKAGE, done.stderr.strip()[-300:])
        )
    with open(os.path.join(folder, "cordon.lock")) as file:
        text = file.read()
    return "%s and what it needs: %d packages" % (PACKAGE, text.count("[[package"))


def start(stage, site, report, count, which):
    """Starts the hub and waits for all instances."""
    # Generous, because it is not speed that is judged: a plugin that is ended for its slowness is.
    patience = 60 + count * 1.5
    begun = time.monotonic()
    with Delay() as delay:
        site.start(120)
        with Watch(site.client) as watch, Share(site.usage()) as share:
            seen = wait(site, count, begun + patience)
            took = time.monotonic() - begun
            usage = site.usage()
            computing, memory, threads = usage.computing(), usage.memory(), usage.threads()
    waited = [
        line for line in site.now() if "wait" in line and "start" in line and "Error" not in line
    ]
    report.check(
        "%s: instances that have started" % which, "%d of %d" % (seen, count), "all", seen == count
    )
    report.figure("%s: took, of which computing" % which, "%.1f s, %.1f s" % (took, computing))
    report.figure(
        "%s: memory for each, threads" % which,
        "%.1f MiB, %d" % (memory / 1024 / max(seen, 1), threads),
    )
    delay.tell(report, which)
    share.tell(report, which)
    report.timed(
        "%s: %d answers of the API, p99 and worst" % (which, len(watch.times)),
        "%.0f, %.0f ms" % (watch.p99 * 1000, watch.worst * 1000),
        "worst below 1000 ms",
        watch.worst < API_BOUND,
        share,
    )
    report.zero("%s: requests that failed" % which, len(watch.failures))
    report.notes_of("API", watch.failures, 3)
    for words in ("callback-wall", "parked", "started again"):
        report.zero("%s: lines with `%s`" % (which, words), site.count(words))
    report.notes_of("%s: log" % which, site.faults(), 4)
    report.notes_of("%s: log" % which, [line[25:] for line in waited], 3)
    if seen == count:
        states = site.not_running()
        report.zero("%s: instances that do not run" % which, len(states))
    else:
        report.figure("%s: left of the machine's memory" % which, "%d MiB" % (available() // 1024))
    begun = time.monotonic()
    site.stop()
    report.figure("%s: stop" % which, "%.1f s" % (time.monotonic() - begun))


def wait(site, count, end):
    """Waits for all instances, until the patience or the machine's memory is at an end; how many have started."""
    seen = 0
    while (
        seen < count
        and time.monotonic() < end
        and site.process.poll() is None
        and available() > RESERVE
    ):
        seen = site.wait(": started with requests", count, 2)
    return seen
