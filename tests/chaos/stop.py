"""A hub whose plugins are in long callbacks with full inboxes stops within its grace, at a second signal at once."""

import signal
import threading
import time

PLUGINS = 50
NAP = 20
# The default of `stop-seconds`, and what the program may take beyond it.
GRACE, MARGIN = 20, 6
AT_ONCE = 2


def run(stage, report):
    for kind, number in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
        site = busy(stage, report, kind)
        begun = site.count(": enters")
        site.signal(number)
        took = site.ends(GRACE + 60)
        report.check(
            "end after one " + kind,
            "%.1f s" % took if took is not None else "not at all",
            "within %d s" % (GRACE + MARGIN),
            took is not None and took < GRACE + MARGIN,
        )
        if took is None:
            site.kill()
        report.figure("commands that were begun after it", site.count(": enters") - begun)
        report.check("exit code", site.process.returncode, "0", site.process.returncode == 0)
        if not stage.long:
            break
    site = busy(stage, report, "two signals")
    site.signal(signal.SIGTERM)
    time.sleep(1)
    waited = site.process.poll() is None
    site.signal(signal.SIGTERM)
    took = site.ends(60)
    report.check(
        "the hub waits for its plugins after the first of two signals",
        "yes" if waited else "no",
        "yes",
        waited,
    )
    report.check(
        "end after the second",
        "%.2f s" % took if took is not None else "not at all",
        "within %d s" % AT_ONCE,
        took is not None and took < AT_ONCE,
    )
    site.kill()
    judgement = site.integrity()
    report.check("SQLite's judgement of the database", judgement, "ok", judgement == "ok")
    outcome = site.attempt(30)
    report.check("start after that", outcome, "ready", outcome == "ready")


def busy(stage, report, what):
    """A hub all of whose plugins are in a callback, with as many commands waiting as their inboxes take."""
    site = stage.site(PLUGINS)
    names = site.several(PLUGINS, "Z", "Slow.py", {"Mode1": "1", "Mode2": str(NAP)})
    site.start()
    started = site.wait(": started", PLUGINS, 120)
    rows = site.client().command("getdevices", displayhidden="1", used="all")["result"]
    indices = [row["idx"] for row in rows if row["HardwareName"] in names]
    totals = {"taken": 0, "full": 0}

    def fill(mine):
        client = site.client()
        for idx in mine:
            refused = taken = 0
            # A full inbox says so; some are sent beyond that.
            while refused < 3 and taken < 1000:
                good = client.command("switchlight", idx=idx, switchcmd="On")["status"] == "OK"
                taken += good
                refused += not good
            totals["taken"] += taken
            totals["full"] += refused == 3

    fillers = [threading.Thread(target=fill, args=(indices[part::4],)) for part in range(4)]
    for filler in fillers:
        filler.start()
    for filler in fillers:
        filler.join()
    # With a full inbox one callback follows the other, so all of them are in one when the signal comes.
    inside = site.wait(": enters", PLUGINS, 60)
    report.figure(
        "%s: plugins started, in a callback of %d s, with a full inbox" % (what, NAP),
        "%d, %d, %d" % (started, inside, totals["full"]),
    )
    report.check(
        "%s: all of them are busy" % what,
        "%d of %d" % (min(inside, totals["full"]), PLUGINS),
        "all",
        min(inside, totals["full"]) >= PLUGINS,
    )
    return site
