"""Two hundred mixed plugins have their heartbeats for minutes, through the death of their peers, and the hub does not grow."""

import os
import time

from client import Watch
from figures import Beats, busiest_second, milliseconds, percentile, slope
from machine import Delay
from servers import Broker, Stub

INTERVAL = 5
# Beyond what the machine itself takes.
LATE = 0.05
# KiB of the hub for each plugin and heartbeat, after the first third.
GROWTH = 1.0
KINDS = (("Http", "H", 50), ("Mqtt", "M", 40), ("Threads", "T", 30), ("Sqlite", "S", 30), ("Logger", "L", 30), ("Beat", "B", 20))


def run(stage, report):
    seconds = stage.choose(180, 900)
    broker, stub = Broker(stage), Stub(stage)
    count = sum(many for _, _, many in KINDS)
    site = stage.site(count)
    ports = {"Http": stub.port, "Mqtt": broker.port}
    for kind, letter, many in KINDS:
        site.several(many, letter, kind + ".py", {"Mode1": str(INTERVAL), "Address": "127.0.0.1",
                                                  "Port": str(ports.get(kind, "")), "Mode2": "topic/{number}"}
                     if kind in ports else {"Mode1": str(INTERVAL)})
    site.start()
    started = site.wait(": started", count, 180)
    report.check("plugins started", "%d of %d" % (started, count), "all", started == count)
    begun = time.monotonic()
    memory = []
    away = stage.choose(12, 30)
    place = len(site.lines)
    computing = site.usage().computing()
    # The machine's delay is taken in parts, because a part without neighbours says more than the whole.
    with Delay() as delay, Watch(site.client, pause=1) as watch:
        until(site, memory, begun + seconds * 0.45)
        broker.kill()
        stub.kill()
        until(site, memory, begun + seconds * 0.45 + away)
        broker.start()
        stub.start()
        until(site, memory, begun + seconds)
    computing = site.usage().computing() - computing
    judge(site, report, place, memory, delay, watch, seconds, away)
    report.figure("hub's computing time", "%.1f %% of a core" % (100 * computing / seconds))
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


def judge(site, report, place, memory, delay, watch, seconds, away):
    """Reads out of the log what became of everybody."""
    lines = site.since(place)
    beats = Beats(lines)
    count = sum(many for _, _, many in KINDS)
    late = beats.late(INTERVAL)
    expected = count * seconds / INTERVAL
    report.check("heartbeats", "%d of about %d" % (sum(map(len, beats.of.values())), expected), "nearly all",
                 sum(map(len, beats.of.values())) > expected * 0.95)
    report.check("hardware with heartbeats in the last two intervals", "%d of %d" % (recent(beats), count), "all",
                 recent(beats) == count)
    report.figure("machine's own delay, load", "%s, %.1f" % (delay, os.getloadavg()[0]))
    p99 = percentile(late, 0.99)
    report.figure("heartbeats late: p50, p99, worst",
                  "%.1f, %.1f, %.0f ms" % tuple(map(milliseconds, (percentile(late, 0.5), p99, max(late, default=0)))))
    report.below("p99 beyond the machine's", milliseconds(p99 - delay.p99), milliseconds(LATE), "ms")
    for kind, letter, _ in KINDS:
        report.figure("p99 of " + kind, "%.1f ms" % milliseconds(percentile(beats.late(INTERVAL, letter), 0.99)))
    report.check("answers of the API, p99 and worst", "%.0f, %.0f ms" % (milliseconds(watch.p99), milliseconds(watch.worst)),
                 "worst below 1000 ms", not watch.failures and watch.worst < 1 + delay.worst)
    for kind, letter, many in KINDS[:2]:
        report.figure("peers away for %d s; %s answers while they were there" % (away, kind),
                      int(sum(beats.words(name, "answers")[-1] for name in beats.names(letter))))
        back = [name for name in beats.names(letter) if working(beats, name)]
        report.check("%s that works again after its peer came back" % kind, "%d of %d" % (len(back), many), "all",
                     len(back) == many)
    for kind, letter, many in KINDS[2:4]:
        works = [name for name in beats.names(letter) if working(beats, name)]
        report.check("%s that works at the end" % kind, "%d of %d" % (len(works), many), "all", len(works) == many)
    first = memory[len(memory) // 3][0]
    points = [(moment - first, size) for moment, size in memory if moment >= first]
    growth = slope(points)
    report.figure("hub's memory at the start, after a third, at the end",
                  "%.0f, %.0f, %.0f MiB" % tuple(it / 1024 for it in (memory[0][1], points[0][1], points[-1][1])))
    report.check("its slope from then on", "%.0f KiB a minute, %.2f KiB for each plugin and heartbeat"
                 % (growth * 60, growth * INTERVAL / count), "below %.1f for each" % GROWTH,
                 growth * INTERVAL / count < GROWTH)
    report.figure("lines of the log in the busiest second", busiest_second(lines))


def recent(beats):
    """How many have had a heartbeat within two intervals of the last of all."""
    last = max(moments[-1][1] for moments in beats.of.values())
    return sum(last - entries[-1][1] < 2 * INTERVAL for entries in beats.of.values())


def working(beats, name):
    """Whether the plugin's count of what it got done went up in its last three heartbeats."""
    answers = beats.words(name, "answers")
    return len(answers) > 3 and answers[-1] > answers[-4]
