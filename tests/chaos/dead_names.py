"""A name server that never answers delays nobody but those who ask it: files, SQLite and heartbeats of others go on.

The scenario has a network and mounts of its own: `resolv.conf` there leads to a socket that only takes questions.
"""

import fcntl
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time

from client import Watch
from figures import Beats, milliseconds, percentile
from machine import Delay, Share

NAMESPACES = ("mount", "net")
SERVER = "127.0.0.153"
INTERVAL = 1
BOUND = 0.1
KINDS = (("heartbeats", "B"), ("files", "F"), ("SQLite", "S"))


def run(stage, report):
    askers = stage.choose(100, 300)
    seconds = stage.choose(30, 90)
    server = NameServer(stage)
    # The same plugins in both runs; in the first they rest after one name, which the hosts file has.
    without = measure(stage, report, askers, seconds, "without", "localhost", "3600")
    asked = server.questions
    dead = measure(stage, report, askers, seconds, "with", "device{number}.example.org", "1")
    report.check(
        "questions at the name server, without and with",
        "%d, %d" % (asked, server.questions - asked),
        "none without, some with",
        not asked and server.questions > asked,
    )
    for kind, letter in KINDS:
        for name, share in (("p99", 0.99), ("worst", 1.0)):
            first, second = (percentile(run_["late"][letter], share) for run_ in (without, dead))
            own = max(0.0, dead["delay"][share] - without["delay"][share])
            judge(report, "%s of others: %s late" % (kind, name), first, second, own, dead["share"])
    for kind, letter in KINDS[1:]:
        for name, share in (("p99", 0.99), ("longest", 1.0)):
            first, second = (percentile(run_["took"][letter], share) for run_ in (without, dead))
            own = max(0.0, dead["disk"][share] - without["disk"][share])
            judge(
                report,
                "%s of others: work of a heartbeat, %s" % (kind, name),
                first,
                second,
                own,
                dead["share"],
            )


def judge(report, name, first, second, own, share):
    """Compares a time without the look-ups and with them; `own` is by how much the machine itself was slower."""
    report.timed(
        name + ", without and with",
        "%.0f, %.0f ms" % (milliseconds(first), milliseconds(second)),
        "at most 100 ms more (machine: %.0f)" % milliseconds(own),
        second - first < BOUND + own,
        share,
    )


def measure(stage, report, askers, seconds, words, address, pause):
    """One hub with plugins that look names up beside others; how late the others are."""
    site = stage.site(askers + 30)
    interval = {"Mode1": str(INTERVAL)}
    site.several(10, "B", "Beat.py", interval)
    site.several(5, "F", "Files.py", interval)
    site.several(5, "S", "Sqlite.py", interval)
    site.several(
        askers,
        "K",
        "Lookup.py",
        {"Mode1": "5", "Address": address, "Port": "9", "Mode2": pause},
        'grants = { network = ["127.0.0.1:9"] }',
    )
    site.start()
    started = site.wait(": started", askers + 20, 180)
    time.sleep(8)
    place = len(site.lines)
    with Delay() as delay, Share(site.usage()) as share, Watch(site.client) as watch:
        time.sleep(seconds)
    lines = site.since(place)
    beats = Beats(lines)
    asked = sum((beats.words(name, "asked") or [0])[-1] for name in beats.names("K"))
    report.check(
        "%s: plugins started" % words,
        "%d of %d" % (started, askers + 20),
        "all",
        started == askers + 20,
    )
    report.figure("%s: look-ups begun by the plugins" % words, int(asked))
    delay.tell(report, words)
    share.tell(report, words)
    report.figure("%s: hub's threads" % words, site.usage().threads())
    report.timed(
        "%s: answers of the API, p99 and worst" % words,
        "%.0f, %.0f ms" % (milliseconds(watch.p99), milliseconds(watch.worst)),
        "worst below 1000 ms",
        watch.worst < 1,
        share,
    )
    report.zero("%s: requests that failed" % words, len(watch.failures))
    begun = time.monotonic()
    site.stop()
    report.check(
        "%s: stop" % words,
        "%.1f s" % (time.monotonic() - begun),
        "within 25 s",
        time.monotonic() - begun < 25,
    )
    report.zero("%s: lives that ended" % words, len(site.faults()))
    report.notes_of("log", site.faults(), 3)
    return {
        "late": {letter: beats.late(INTERVAL, letter) for _, letter in KINDS},
        "took": {
            letter: [took for name in beats.names(letter) for took in beats.words(name, "took")]
            or [0.0]
            for _, letter in KINDS
        },
        "share": share,
        "delay": {0.99: delay.p99, 1.0: delay.worst},
        "disk": {0.99: delay.disk_p99, 1.0: delay.disk_worst},
    }


class NameServer:
    """Takes questions and never answers; the namespace's `resolv.conf` leads to it."""

    def __init__(self, stage):
        loopback_up()
        self.questions = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((SERVER, 53))
        threading.Thread(target=self._listen, daemon=True).start()
        self._mount("/etc/resolv.conf", "nameserver %s\n" % SERVER)
        self._mount("/etc/hosts", "127.0.0.1 localhost\n")
        self._mount("/etc/nsswitch.conf", "hosts: files dns\n")

    def _listen(self):
        while True:
            self.socket.recv(4096)
            self.questions += 1

    def _mount(self, path, text):
        """Lays a file over one of the machine's, in this namespace only."""
        with tempfile.NamedTemporaryFile("w", prefix="cordon-chaos-") as file:
            file.write(text)
            file.flush()
            os.chmod(file.name, 0o644)
            subprocess.run(["mount", "--bind", file.name, os.path.realpath(path)], check=True)


def loopback_up():
    """A new network namespace has its loopback interface switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS with IFF_UP.
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1) + bytes(14))
