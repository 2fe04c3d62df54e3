"""A full disk refuses writes in clear words and takes nothing else away; with room again everything goes on.

The data folder is a small file system in memory, which only this scenario's mount namespace has.
"""

import collections
import os
import re
import subprocess
import time

from figures import busiest_second
from writers import DeviceWriter, IndigoWriter, VariableWriter

NAMESPACES = ("mount",)
SIZE = "48m"
# Words that tell a client that its change is not stored, and an operator the reason.
CLEAR = re.compile(r"disk is full|disk I/O|to disk|could not store", re.IGNORECASE)
# Lines of the hub in its own name while the disk is full: in one second, and a second on average.
BURST, FLOOD = 30, 5


def run(stage, report):
    site = stage.site(20)
    os.mkdir(site.data, 0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "mode=0700,size=" + SIZE, "chaos", site.data], check=True
    )
    stage.later(lambda: subprocess.run(["umount", "--lazy", site.data]))
    site.several(3, "B", "Beat.py", {"Mode1": "1", "Mode2": "1"})
    site.several(2, "W", "Writer.py", {"Mode1": "0.1"})
    site.several(2, "S", "Sqlite.py", {"Mode1": "1"})
    site.section("[indigo-api]\nauthentication = false")
    site.start()
    site.wait(": started", 5, 60)
    site.wait(": stored ", 2, 60)
    client = site.client()
    writers = [DeviceWriter(site, site.own(name)[0]["idx"]) for name in ("B0", "B1")]
    writers += [VariableWriter(site, client, "count"), IndigoWriter(site, client, "count")]
    for writer in writers:
        writer.pause = 0.02
        writer.start()
    time.sleep(2)
    full(stage, site, writers, report)
    freed(site, writers, report)
    acknowledged(site, writers, report)
    start_when_full(site, report)
    start_after_kill(site, report)


def full(stage, site, writers, report):
    """Fills the file system and looks at the rest."""
    place = len(site.lines)
    fill(site)
    # The WAL has some room of its own; only when that is used up the refusals begin.
    time.sleep(2)
    for writer in writers:
        writer.refusals = {}
        writer.count = 0
    seconds = stage.choose(8, 30)
    reads = failures = 0
    client = site.client()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for param in ("getdevices", "getlog", "gethardware", "getuservariables"):
            reads += 1
            failures += client.command(param)["status"] != "OK"
        time.sleep(0.1)
    refused = collections.Counter()
    for writer in writers:
        refused.update(writer.refusals)
    report.figure(
        "writes while full: taken, refused",
        "%d, %d" % (sum(w.count for w in writers), refused.total()),
    )
    report.check(
        "reads answered while full", "%d of %d" % (reads - failures, reads), "all", not failures
    )
    unclear = [words for words in refused if not CLEAR.search(words)]
    report.check("writes refused while full", refused.total(), "some", refused.total() > 0)
    report.zero("refusals whose words do not tell why", len(unclear))
    report.notes_of(
        "refusal", ["%d times: %s" % (count, words) for words, count in refused.most_common(4)]
    )
    lines = [line for line in site.since(place) if not re.search(r": (beat|stored) \d", line)]
    named = [line for line in lines if re.search(r"  (Error: )?[BSW]\d: ", line)]
    others = [line for line in lines if line not in named]
    report.figure("lines of the log in the names of plugins that cannot write", len(named))
    report.figure("lines in the hub's own name", len(others))
    report.below("the hub's in the busiest second", busiest_second(others), BURST)
    report.below("the hub's a second", len(others) / (seconds + 2), FLOOD)
    kinds = collections.Counter(re.sub(r"\d+", "N", line[25:])[:200] for line in lines)
    report.notes_of(
        "log while full", ["%d times: %s" % (count, line) for line, count in kinds.most_common(6)]
    )
    report.zero("hardware that does not run while full", len(site.not_running()))


def freed(site, writers, report):
    """Makes room again; everybody writes again."""
    free(site)
    time.sleep(3)
    place = len(site.lines)
    for writer in writers:
        writer.refusals = {}
        writer.count = 0
    time.sleep(5)
    silent = [writer.name for writer in writers if not writer.count]
    report.zero("writers whose writes are not taken 3 s after there is room", len(silent))
    report.zero("refusals from then on", sum(sum(writer.refusals.values()) for writer in writers))
    lines = site.since(place)
    plugins = [
        name for name in ("W0", "W1") if not any(name + ": stored " in line for line in lines)
    ]
    rows = [
        name
        for name in ("S0", "S1")
        if not any(": beat " in line and name in line and "refused" not in line for line in lines)
    ]
    report.zero("plugins that do not store again", len(plugins + rows))
    report.notes_of("does not write", silent + plugins + rows)
    report.zero("lives that ended", len(site.faults()))
    report.notes_of("log", site.faults())


def acknowledged(site, writers, report):
    """Kills the hub; all that it acknowledged is there."""
    for writer in writers:
        writer.end()
    site.kill()
    judgement = site.integrity()
    site.start()
    client = site.client()
    old = [
        "%s is %d, acknowledged %d" % (writer.name, writer.read(client), writer.acknowledged)
        for writer in writers
        if writer.read(client) < writer.acknowledged
    ]
    report.zero("acknowledged values that are lost", len(old))
    report.notes_of("lost", old)
    report.check("SQLite's judgement of the database", judgement, "ok", judgement == "ok")
    site.stop()


def start_when_full(site, report):
    """Starts the hub on the full file system: it says why it cannot, or it works; afterwards it works."""
    fill(site)
    outcome = site.attempt(20)
    last = site.now()[-2 if outcome == "ended" else -1]
    if outcome == "ready":
        time.sleep(2)
        answered = site.client().command("getdevices")["status"] == "OK"
        report.check(
            "start on the full disk", "ready", "ready and answering, or refused in words", answered
        )
        site.signal(15)
        report.check(
            "its stop",
            "%.1f s" % (site.ends(30) or 999),
            "within 30 s",
            site.process.poll() is not None,
        )
    else:
        report.check(
            "start on the full disk",
            outcome,
            "ready and answering, or refused in words",
            outcome == "ended" and CLEAR.search(last),
        )
    report.note("start on the full disk: " + last)
    site.kill()
    free(site)
    site.start()
    report.check("start when there is room again", "ready", "ready", True)
    site.stop()


def start_after_kill(site, report):
    """Kills the hub in the middle of its writes, takes the last room, and starts it: it names the full disk."""
    site.start()
    site.wait(": stored ", 2, 60)
    site.kill()
    fill(site)
    outcome = site.attempt(20)
    lines = site.now()
    named = any("the disk is full on which" in line for line in lines)
    report.check(
        "start on the full disk after a kill",
        outcome,
        "ready, or ended with the full disk as the reason",
        outcome == "ready" or named,
    )
    report.notes_of("last lines of that start", lines[-3:])
    site.kill()
    free(site)
    site.start()
    report.check("start after that when there is room again", "ready", "ready", True)
    site.stop()


def fill(site):
    """Takes all room of the file system, to the last page."""
    for number, block in enumerate((1 << 20, 4096, 512)):
        with open(os.path.join(site.data, "fill-%d" % number), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * block)
            except OSError:
                pass


def free(site):
    """Gives it back."""
    for name in os.listdir(site.data):
        if name.startswith("fill-"):
            os.remove(os.path.join(site.data, name))
