"""Two hundred mixed plugins have their heartbeats, through the death of their peers, and the hub does not grow."""

import time

from client import Watch
from figures import Beats, busiest_second, milliseconds, percentile, slope
from machine import Delay, Share
from servers import Broker, Stub

INTERVAL = 5
SETTLE = 20
# Beyond the machine's own delay, on a machine that has a core for the hub whenever it wants one.
LATE = 0.05
# KiB of the hub for each plugin and heartbeat, after the first third; within minutes the log still fills its rings.
GROWTH = {False: 2.0, True: 0.5}
KINDS = (
    ("Http", "H", 50),
    ("Mqtt", "M", 40),
    ("Threads", "T", 30),
    ("Sqlite", "S", 30),
    ("Logger", "L", 30),
    ("Beat", "B", 20),
)


def run(stage, report):
    seconds = stage.choose(180, 900)
    broker, stub = Broker(stage), Stub(stage)
    count = sum(many for _, _, many in KINDS)
    site = stage.site(count)
    ports = {"Http": stub.port, "Mqtt": broker.port}
    for kind, letter, many in KINDS:
        site.several(
            many,
            letter,
            kind + ".py",
            {
                "Mode1": str(INTERVAL),
                "Address": "127.0.0.1",
                "Port": str(ports.get(kind, "")),
                "Mode2": "topic/{number}",
            }
            if kind in ports
            else {"Mode1": str(INTERVAL)},
        )
    site.start()
    started = site.wait(": started", count, 180)
    report.check("plugins started", "%d of %d" % (started, count), "all", started == count)
    # The hub has done by then whatever the starts left to do.
    time.sleep(SETTLE)
    begun = time.monotonic()
    memory = []
    away = stage.choose(12, 30)
    place = len(site.lines)
    with Delay() as delay, Share(site.usage()) as share, Watch(site.client, pause=1) as watch:
        until(site, memory, begun + seconds * 0.45)
        broker.kill()
        stub.kill()
        until(site, memory, begun + seconds * 0.45 + away)
        broker.start()
        stub.start()
        until(site, memory, begun + seconds)
    judge(site, report, place, memory, delay, share, watch, seconds, away, GROWTH[stage.long])
    states = site.not_running()
    report.zero("plugins that do not run", len(states))
    report.zero("lives that ended", len(site.faults()))
    report.notes_of("state", states, 4)
    report.notes_of("log", site.faults(), 4)
    site.stop()


def until(site, memory, end):
    """Waits, and notes the hub's memory every two seconds."""
    while time.monotonic() < end:
        memory.append((time.monotonic(), site.usage().memory()))
        time.sleep(2)


def judge(site, report, place, memory, delay, share, watch, seconds, away, growth_bound):
    """Reads everybody's fate out of the log."""
    lines = site.since(place)
    beats = Beats(lines)
    count = sum(many for _, _, many in KINDS)
    late = beats.late(INTERVAL)
    expected = count * seconds / INTERVAL
    report.check(
        "heartbeats",
        "%d of about %d" % (sum(map(len, beats.of.values())), expected),
        "nearly all",
        sum(map(len, beats.of.values())) > expected * 0.95,
    )
    report.check(
        "hardware with heartbeats in the last two intervals",
        "%d of %d" % (recent(beats), count),
        "all",
        recent(beats) == count,
    )
    delay.tell(report)
    share.tell(report)
    p99 = percentile(late, 0.99)
    report.figure(
        "heartbeats late: p50, p99, worst",
        "%.1f, %.1f, %.0f ms"
        % tuple(map(milliseconds, (percentile(late, 0.5), p99, max(late, default=0)))),
    )
    report.timed(
        "p99 beyond the machine's",
        "%.1f ms" % milliseconds(p99 - delay.p99),
        "below %.0f ms" % milliseconds(LATE),
        p99 - delay.p99 < LATE,
        share,
    )
    for kind, letter, _ in KINDS:
        report.figure(
            "p99 of " + kind,
            "%.1f ms" % milliseconds(percentile(beats.late(INTERVAL, letter), 0.99)),
        )
    report.timed(
        "answers of the API, p99 and worst",
        "%.0f, %.0f ms" % (milliseconds(watch.p99), milliseconds(watch.worst)),
        "worst below 1000 ms",
        watch.worst < 1,
        share,
    )
    report.zero("requests that failed", len(watch.failures))
    report.notes_of("API", watch.failures, 4)
    for kind, letter, many in KINDS[:2]:
        report.figure(
            "peers away for %d s; %s answers while they were there" % (away, kind),
            int(sum(beats.words(name, "answers")[-1] for name in beats.names(letter))),
        )
        back = [name for name in beats.names(letter) if working(beats, name)]
        report.check(
            "%s that works again after its peer came back" % kind,
            "%d of %d" % (len(back), many),
            "all",
            len(back) == many,
        )
    for kind, letter, many in KINDS[2:4]:
        works = [name for name in beats.names(letter) if working(beats, name)]
        report.check(
            "%s that works at the end" % kind,
            "%d of %d" % (len(works), many),
            "all",
            len(works) == many,
        )
    first = memory[len(memory) // 3][0]
    points = [(moment - first, size) for moment, size in memory if moment >= first]
    growth = slope(points)
    report.figure(
        "hub's memory at the start, after a third, at the end",
        "%.0f, %.0f, %.0f MiB"
        % tuple(it / 1024 for it in (memory[0][1], points[0][1], points[-1][1])),
    )
    report.check(
        "its slope from then on",
        "%.0f KiB a minute, %.2f KiB for each plugin and heartbeat"
        % (growth * 60, growth * INTERVAL / count),
        "below %.1f for each" % growth_bound,
        growth * INTERVAL / count < growth_bound,
    )
    report.figure("lines of the log in the busiest second", busiest_second(lines))


def recent(beats):
    """How many have had a heartbeat within two intervals of the last of all."""
    last = max(moments[-1][1] for moments in beats.of.values())
    return sum(last - entries[-1][1] < 2 * INTERVAL for entries in beats.of.values())


def working(beats, name):
    """Whether the plugin's count of its results went up in its last three heartbeats."""
    answers = beats.words(name, "answers")
    return len(answers) > 3 and answers[-1] > answers[-4]
