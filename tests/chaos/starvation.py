"""Connections of strangers do not keep an operator with a password waiting, from the same address or from many."""

import selectors
import socket
import threading
import time
import urllib.parse

from client import Watch
from figures import milliseconds
from machine import Delay, Share

PASSWORD = "ann:a password of the scenarios"
BOUND = 1.0
# How long a stranger who was sent away stays away.
PAUSE = 1.0
# A request that nobody lets in, over a connection that stays.
STRANGER = b"GET /json.htm?type=command&param=getdevices HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def run(stage, report):
    seconds = stage.choose(20, 90)
    site = stage.site(5)
    site.several(2, "B", "Beat.py", {"Mode1": "1"})
    name, _, password = PASSWORD.partition(":")
    user = '{ name = "%s", password = "%s", rights = "admin" }' % (name, password)
    site.section("[web]\nnetworks = []\nusers = [%s]" % user)
    site.start()
    site.wait(": started", 2, 60)
    port = urllib.parse.urlsplit(site.address).port
    # 64 is what one address gets; the second crowd is more than the hub has places for at all.
    one = ["127.0.0.1"]
    many = ["127.0.0.%d" % number for number in range(1, 13)]
    for words, addresses, idle, slow, silent in (
        ("nobody else", one, 0, 0, 0),
        ("64 that keep alive with a 401", one, 64, 0, 0),
        ("64 that send their headers slowly", one, 0, 64, 0),
        ("64 of each kind and 80 silent ones", one, 64, 64, 80),
        ("the same from each of 12 addresses", many, 64 * 12, 64 * 12, 80 * 12),
    ):
        crowd = Crowd(port, addresses, idle, slow, silent)
        with Delay() as delay, Share(site.usage()) as share, crowd:
            time.sleep(2)
            with (
                Watch(lambda: site.client(user=PASSWORD), anew=True) as fresh,
                Watch(lambda: site.client(user=PASSWORD)) as kept,
            ):
                time.sleep(seconds if idle or slow else 5)
        asked = len(fresh.times) + len(kept.times)
        report.figure(
            "%s: connections made, 401 seen" % words, "%d, %d" % (crowd.made, crowd.refused)
        )
        report.figure(
            "%s: machine's own delay; all takes" % words,
            "%s; %.1f times as long" % (delay, share.stretch),
        )
        worst = max(fresh.worst or 0, kept.worst or 0)
        report.check("%s: operator's requests" % words, asked, "more than 10", asked > 10)
        report.timed(
            "%s: operator's answers, p99 and worst" % words,
            "%.0f, %.0f ms" % (milliseconds(max(fresh.p99, kept.p99)), milliseconds(worst)),
            "worst below 1000 ms",
            worst < BOUND,
            share,
        )
        report.zero(
            "%s: operator's requests that failed" % words, len(fresh.failures + kept.failures)
        )
        report.notes_of("operator", fresh.failures + kept.failures, 4)
    site.stop()
    report.zero("faults in the log", len(site.faults()))


class Crowd:
    """Strangers who hold connections: idle after a 401, slow, or silent. Whoever loses one is back in a second."""

    def __init__(self, port, addresses, idle, slow, silent):
        self.port = port
        kinds = ["idle"] * idle + ["slow"] * slow + ["silent"] * silent
        self.members = [
            (kind, addresses[number % len(addresses)]) for number, kind in enumerate(kinds)
        ]
        self.made = self.refused = 0
        self.over = threading.Event()
        self.selector = selectors.DefaultSelector()

    def __enter__(self):
        self.thread = threading.Thread(target=self._hold, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    def _hold(self):
        # Who comes, and when: at the start all within a second. A crowd without pauses would take the processor
        # instead of the places.
        begun = time.monotonic()
        waiting = [
            (begun + number / len(self.members), member)
            for number, member in enumerate(self.members)
        ]
        said = 0
        while not self.over.is_set():
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                self._come(*waiting.pop(0)[1])
            for key, _ in self.selector.select(0.02):
                if not self._hear(key):
                    waiting.append((now + PAUSE, key.data))
            if now > begun + said + 1:
                said += 1
                waiting += [(now + PAUSE, member) for member in self._go_on(said)]

    def _come(self, kind, address):
        connection = socket.socket()
        connection.bind((address, 0))
        connection.settimeout(0.5)
        try:
            connection.connect(("127.0.0.1", self.port))
            if kind != "silent":
                connection.sendall(
                    STRANGER if kind == "idle" else b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
                )
        except OSError:
            connection.close()
            return
        connection.setblocking(False)
        self.made += 1
        self.selector.register(connection, selectors.EVENT_READ, (kind, address))

    def _hear(self, key):
        """Whether the connection is still there."""
        try:
            said = key.fileobj.recv(65536)
        except OSError:
            said = b""
        self.refused += said.count(b" 401 ")
        if not said:
            self.selector.unregister(key.fileobj)
            key.fileobj.close()
        return bool(said)

    def _go_on(self, second):
        """Every second the slow ones send a byte, every five seconds the idle ones ask again; who could not."""
        lost = []
        for key in list(self.selector.get_map().values()):
            words = {"slow": b"x", "idle": STRANGER if second % 5 == 0 else b""}.get(
                key.data[0], b""
            )
            try:
                if words:
                    key.fileobj.send(words)
            except OSError:
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
                lost.append(key.data)
        return lost
