"""A client that sends a command and closes, or half-closes, its connection gets it carried out exactly once."""

import collections
import re
import socket
import struct
import threading
import time
import urllib.parse

WAYS = ("waits", "half-closes", "closes", "closes after 1 ms", "resets")
CLIENTS = 4
_TOOK = re.compile(r"T0: took (\d+) (\d+)$")


def run(stage, report):
    rounds = stage.choose(1, 5)
    site = stage.site(5)
    names = site.several(1, "T", "Taker.py", {"Mode1": str(len(WAYS) * rounds)})
    site.plugin("B0", "Beat.py", {"Mode2": "200"})
    site.start()
    site.wait(": started", 2, 60)
    dimmers = {int(row["Unit"]): row["idx"] for row in site.own(names[0])}
    port = urllib.parse.urlsplit(site.address).port
    for number, way in enumerate(WAYS):
        sent = []
        for repetition in range(rounds):
            unit = 1 + number * rounds + repetition
            sent += commands(port, way, unit, dimmers[unit])
        took = settled(site, sent)
        judge(report, way, sent, took)
    lists(site, port, report, rounds)
    site.stop()
    report.zero("faults in the log", len(site.faults()))
    report.notes_of("log", site.faults())


def commands(port, way, unit, idx):
    """Sends each level from 1 to 100 once, by several clients at a time; returns those that were sent."""
    levels = list(range(1, 101))

    def work(mine):
        for level in mine:
            send(port, way, "switchlight&idx=%s&switchcmd=Set%%20Level&level=%d" % (idx, level))

    clients = [
        threading.Thread(target=work, args=(levels[client::CLIENTS],)) for client in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return [(unit, level) for level in levels]


def send(port, way, command):
    """One request over a connection of its own; only who waits reads the answer."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    with connection:
        connection.sendall(
            b"GET /json.htm?type=command&param=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            % command.encode()
        )
        if way == "waits":
            connection.recv(4096)
        elif way == "half-closes":
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)
        elif way == "closes after 1 ms":
            time.sleep(0.001)
        elif way == "resets":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def settled(site, sent):
    """How often the plugin took each of these, when nothing more comes."""
    wanted = set(sent)

    def seen():
        found = (_TOOK.search(line) for line in site.now())
        pairs = [(int(it[1]), int(it[2])) for it in found if it]
        return [pair for pair in pairs if pair in wanted]

    end = time.monotonic() + 30
    while len(set(seen())) < len(wanted) and time.monotonic() < end:
        time.sleep(0.2)
    # Long enough for one that comes a second time.
    time.sleep(0.5)
    return collections.Counter(seen())


def judge(report, way, sent, took):
    once = sum(took[pair] == 1 for pair in sent)
    twice = sum(took[pair] > 1 for pair in sent)
    name = "commands of a client that %s: taken once" % way
    if way == "resets":
        # A reset takes away requests that the hub had not read yet, so only twice would be wrong.
        report.figure(name, "%d of %d" % (once, len(sent)))
    else:
        report.check(name, "%d of %d" % (once, len(sent)), "all", once == len(sent))
    report.zero("the same, more than once", twice)


def lists(site, port, report, rounds):
    """A half-closed request for all devices gets all of them."""
    whole = 0
    for _ in range(50 * rounds):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(
                b"GET /json.htm?type=command&param=getdevices HTTP/1.1\r\n"
                b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
            )
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        whole += answer.startswith(b"HTTP/1.1 200") and answer.count(b'"Name":"B0 - text') == 200
    report.check(
        "half-closed getdevices that got 200 devices",
        "%d of %d" % (whole, 50 * rounds),
        "all",
        whole == 50 * rounds,
    )
