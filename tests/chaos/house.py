"""A hub of its own for a scenario: that of the examples, which can also be killed, frozen and started again."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "examples"))

import hub  # noqa: E402
from client import Client  # noqa: E402
from hub import Failed  # noqa: E402
from machine import Process  # noqa: E402

PLUGINS = os.path.join(HERE, "plugins")
ENDED = "(the hub has ended)"


class Site(hub.Site):
    """The hub of one scenario, with the plugins of `plugins/` and the data in `data`."""

    def __init__(self, cordon, instances, **more):
        super().__init__(cordon, PLUGINS)
        self.hub = dict({"listen": "127.0.0.1:0", "instances": instances}, **more)
        self.begun = 0
        self.ready_after = None

    @property
    def data(self):
        """Folder of the database and of the plugins' files."""
        return os.path.join(self.folder, "data")

    @property
    def database(self):
        """The database's file."""
        return os.path.join(self.data, "cordon.db")

    def several(self, count, letter, file, parameters=None, more=""):
        """Adds instances LETTER0, LETTER1 and so on of one plugin; returns their names."""
        names = ["%s%d" % (letter, number) for number in range(count)]
        for number, name in enumerate(names):
            filled = {
                key: value.replace("{number}", str(number))
                for key, value in (parameters or {}).items()
            }
            self.plugin(name, file, filled, more)
        return names

    def section(self, text):
        """Adds TOML that is no hardware."""
        self.sections.append(text + "\n")

    def start(self, patience=60):
        """Starts the hub and waits until its API answers."""
        outcome = self.attempt(patience)
        if outcome != "ready":
            raise Failed(
                "the hub %s instead of being ready: %s" % (outcome, " / ".join(self.lines[-3:]))
            )

    def attempt(self, patience):
        """Starts the hub; whether it is `ready`, has `ended`, or `hangs` beyond the patience."""
        self.begun = len(self.lines)
        begun = time.monotonic()
        self.launch()
        place = self.begun
        with self.changed:
            while True:
                while place < len(self.lines):
                    line = self.lines[place]
                    if "ready on http://" in line:
                        self.ready_after = time.monotonic() - begun
                        self.answers(line)
                        return "ready"
                    if line == ENDED:
                        return "ended"
                    place += 1
                left = begun + patience - time.monotonic()
                if left <= 0:
                    return "hangs"
                self.changed.wait(left)

    def signal(self, number):
        """Sends the hub a signal."""
        self.process.send_signal(number)

    def kill(self):
        """Ends the hub as a loss of power does, and reads its last lines."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(20)

    def ends(self, patience):
        """Seconds until the hub has ended; None if it has not by then."""
        begun = time.monotonic()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join(20)
        return time.monotonic() - begun

    def client(self, timeout=20, **more):
        """A client of the API."""
        return Client(urllib.parse.urlsplit(self.address).port, timeout=timeout, **more)

    def now(self):
        """Lines of the log from the last start on."""
        return self.since(self.begun)

    def since(self, place):
        """Lines of the log from a place on."""
        with self.changed:
            return self.lines[place:]

    def count(self, text, since=None):
        """Lines with this text from the last start, or a place, on."""
        return sum(text in line for line in self.since(self.begun if since is None else since))

    def wait(self, text, count, patience, since=None):
        """Waits for so many lines with this text; returns how many there were in the end."""
        end = time.monotonic() + patience
        seen = self.count(text, since)
        while seen < count and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.1)
            seen = self.count(text, since)
        return seen

    def faults(self, lines=None):
        """Lines that tell of a life that ended, or of a panic."""
        words = re.compile(
            r"started again|parked|panic|fault of the hub|could not be (?:imported|started)"
        )
        return [line for line in (self.now() if lines is None else lines) if words.search(line)]

    def not_running(self):
        """Hardware that does not run, with the hub's word for it."""
        rows = self.client().command("gethardware").get("result", [])
        return [
            "%s: %s %s" % (row["Name"], row.get("State"), row.get("Detail", ""))
            for row in rows
            if row.get("State") != "running"
        ]

    def usage(self):
        """The hub as the system sees it."""
        return Process(self.process.pid)

    def own(self, name):
        """Rows of the hardware's devices."""
        rows = self.client().command("getdevices", displayhidden="1", used="all").get("result", [])
        return [row for row in rows if row["HardwareName"] == name]

    def integrity(self):
        """SQLite's own judgement of a copy of the database and its WAL."""
        folder = os.path.join(self.folder, "copy")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        for end in ("", "-wal"):
            if os.path.exists(self.database + end):
                shutil.copy(self.database + end, os.path.join(folder, "cordon.db" + end))
        if not os.path.exists(os.path.join(folder, "cordon.db")):
            return "ok"
        try:
            copy = sqlite3.connect(os.path.join(folder, "cordon.db"))
            try:
                return copy.execute("PRAGMA integrity_check").fetchone()[0]
            finally:
                copy.close()
        except sqlite3.Error as error:
            return str(error)

    def keep(self, path):
        """Writes the log to a file."""
        with open(path, "w") as file:
            file.write("\n".join(self.since(0)) + "\n")
