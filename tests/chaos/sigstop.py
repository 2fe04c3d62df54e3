"""A hub that stood still for half a minute goes on: no storm of heartbeats, and no deadline ends a plugin for it."""

import signal
import time

from figures import Beats, milliseconds
from machine import Delay, Share
from servers import Broker, Stub

FROZEN = 30
# The limit of the plugin that is inside a callback meanwhile; by the clock on the wall its callback takes longer.
WALL = 20


def run(stage, report):
    broker, stub = Broker(stage), Stub(stage)
    site = stage.site(40)
    site.several(5, "B", "Beat.py", {"Mode1": "1"})
    site.several(5, "T", "Threads.py", {"Mode1": "1"})
    site.several(5, "H", "Http.py", {"Mode1": "2", "Address": "127.0.0.1", "Port": str(stub.port)})
    site.several(
        5,
        "M",
        "Mqtt.py",
        {"Mode1": "2", "Address": "127.0.0.1", "Port": str(broker.port), "Mode2": "topic/{number}"},
    )
    site.several(
        3,
        "Z",
        "Slow.py",
        {"Mode1": "6", "Mode2": "2"},
        "limits = { callback-wall = %d }" % (WALL * 1000),
    )
    site.start()
    started = site.wait(": started", 23, 60)
    report.check("plugins started", "%d of 23" % started, "all", started == 23)
    for repetition in range(stage.choose(1, 3)):
        freeze(stage, site, report, " (%d)" % (repetition + 1) if stage.long else "")
    site.stop()
    report.zero("lives that ended", len(site.faults()))
    report.notes_of("log", site.faults())


def freeze(stage, site, report, which):
    """Stops the process and lets it go on."""
    client = site.client(timeout=10)
    for name in ("Z0", "Z1", "Z2"):
        client.command("switchlight", idx=site.own(name)[0]["idx"], switchcmd="On")
    entered = site.count(": enters")
    time.sleep(5)
    site.signal(signal.SIGSTOP)
    time.sleep(FROZEN + stage.random.random())
    place = len(site.lines)
    with Delay() as delay, Share(site.usage()) as share:
        site.signal(signal.SIGCONT)
        woken = time.time()
        begun = time.monotonic()
        client.close()
        client.command("getversion")
        answered = time.monotonic() - begun
        time.sleep(12)
    beats = Beats(site.since(place))
    names = beats.names("B", "T")
    soon = [sum(woken <= moment < woken + 2 for moment in beats.moments(name)) for name in names]
    delay.tell(report, "after it" + which)
    share.tell(report, "after it" + which)
    report.timed(
        "first answer of the API after it" + which,
        "%.0f ms" % milliseconds(answered),
        "within 1000 ms",
        answered < 1,
        share,
    )
    # One that was due, and one for each of the two seconds.
    report.check(
        "heartbeats of 1 s in the 2 s after it, most of one plugin" + which,
        max(soon, default=0),
        "at most 3",
        0 < max(soon, default=0) <= 3,
    )
    report.check(
        "plugins that have heartbeats again" + which,
        "%d of 20" % len(beats.names()),
        "all",
        len(beats.names()) == 20,
    )
    left = site.wait(": leaves", entered, 20)
    report.check(
        "callbacks that stood still and then returned" + which,
        "%d of %d" % (left, entered),
        "all",
        left == entered,
    )
    states = site.not_running()
    report.zero("plugins that do not run" + which, len(states))
    report.notes_of("state", states)
    counts = [beats.words(name, "answers") for name in beats.names("H", "M")]
    grown = [answers for answers in counts if answers[-1] > answers[0]]
    report.check("connections that work" + which, "%d of 10" % len(grown), "all", len(grown) == 10)
