"""The machine below a scenario: how late it wakes a program that only sleeps, and the share of a process in it."""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time

from figures import milliseconds, percentile

_TICK = 0.01
_PAUSE = 0.2
_PRESSURES = (("cpu", "some"), ("io", "some"), ("io", "full"), ("memory", "some"))


class Delay:
    """Measures in a process of its own how late the system wakes it; its figures are there after the `with`.

    Lateness of a heartbeat beyond this is the hub's; up to this it is the machine's. The disk is measured beside it:
    how long 4 KiB take until the system says that they are on it.
    """

    def __init__(self):
        self.median = self.p99 = self.worst = self.disk_p99 = self.disk_worst = None

    def __enter__(self):
        command = [sys.executable, os.path.abspath(__file__)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # A busy machine takes seconds for that alone.
        self.process.stdout.readline()
        self.begun = time.monotonic(), pressures()
        return self

    def __exit__(self, *_):
        said, _ = self.process.communicate()
        late, disk = json.loads(said)
        self.median, self.p99, self.worst = percentile(late, 0.5), percentile(late, 0.99), max(late)
        self.disk_p99, self.disk_worst = percentile(disk, 0.99), max(disk)
        elapsed = time.monotonic() - self.begun[0]
        before, after = self.begun[1], pressures()
        self.shares = {
            name: 100 * (after[name] - before[name]) / elapsed for name in after if name in before
        }

    def __str__(self):
        return "p50 %.1f, p99 %.1f, worst %.0f ms" % tuple(
            map(milliseconds, (self.median, self.p99, self.worst))
        )

    def tell(self, report, which=""):
        """Adds the machine's figures to a report, none of which is judged."""
        begin = which + ": " if which else ""
        report.figure(begin + "machine's own delay; its load", "%s; %s" % (self, load()))
        report.figure(
            begin + "machine's disk, 4 KiB: p99, worst",
            "%.0f, %.0f ms" % (milliseconds(self.disk_p99), milliseconds(self.disk_worst)),
        )
        report.figure(
            begin + "share of the time in which somebody waited for it",
            ", ".join("%s %.0f %%" % it for it in self.shares.items()) or "not told",
        )


def pressures():
    """Seconds in which some program, or every one, waited for a part of the machine, since it runs."""
    found = {}
    for part, word in _PRESSURES:
        try:
            with open("/proc/pressure/" + part) as file:
                line = next(it for it in file if it.startswith(word))
        except (OSError, StopIteration):
            continue
        found["%s (%s)" % (part, word)] = int(line.rsplit("=", 1)[1]) / 1e6
    return found


class Process:
    """A process as the system sees it."""

    def __init__(self, pid):
        self.folder = "/proc/%d" % pid

    def memory(self):
        """KiB of its own memory: neither a file's nor shared."""
        return self._status("RssAnon")

    def threads(self):
        """Its threads."""
        return self._status("Threads")

    def computing(self):
        """Seconds of computing time up to now."""
        return (int(self._stat(11)) + int(self._stat(12))) / os.sysconf("SC_CLK_TCK")

    def faults(self):
        """How often it waited for the disk because a page of its memory was not there."""
        return int(self._stat(9))

    def turns(self):
        """Seconds that its threads have computed, and seconds that they could have and had no core."""
        computed = waited = 0
        for thread in os.listdir(self.folder + "/task"):
            try:
                with open("%s/task/%s/schedstat" % (self.folder, thread)) as file:
                    words = file.read().split()
            except OSError:
                continue
            computed += int(words[0])
            waited += int(words[1])
        return computed / 1e9, waited / 1e9

    def _stat(self, place):
        with open(self.folder + "/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[place]

    def _status(self, name):
        with open(self.folder + "/status") as file:
            line = next((it for it in file if it.startswith(name + ":")), None)
        if line is None:
            raise ProcessLookupError("%s has ended" % self.folder)
        return int(line.split()[1])


class Share:
    """How much of the machine a process got in the time of the `with`, and how much it waited for."""

    def __init__(self, process):
        self.process = process

    def __enter__(self):
        self.begun = time.monotonic()
        self.before = self.process.turns()
        self.faults = self.process.faults()
        return self

    def __exit__(self, *_):
        elapsed = time.monotonic() - self.begun
        computed, waited = (
            after - before for after, before in zip(self.process.turns(), self.before)
        )
        self.faults = self.process.faults() - self.faults
        self.computed, self.waited = computed / elapsed, waited / elapsed
        # How many times as long as on a machine of its own everything takes that it computes.
        self.stretch = 1 + waited / computed if computed > 0 else 1.0

    def tell(self, report, which=""):
        """Adds the figures to a report, none of which is judged."""
        begin = which + ": " if which else ""
        report.figure(
            begin + "hub's computing; waiting for a core",
            "%.1f %%; %.1f %% of the time, so all takes %.1f times as long"
            % (100 * self.computed, 100 * self.waited, self.stretch),
        )
        report.figure(begin + "hub's pages that had to be read from the disk", self.faults)


def prioritise(nice):
    """Gives this process, its session and its children another priority."""
    if not nice:
        return
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    try:
        # The system may divide the processor by sessions first, and then priorities count within one only.
        with open("/proc/self/autogroup", "w") as file:
            file.write(str(nice))
    except OSError:
        pass


def available():
    """KiB of the machine's memory that programs can still have."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))


def load():
    """The system's load of the last minute."""
    return "%.1f on %d cores" % (os.getloadavg()[0], os.cpu_count())


def _measure():
    """Sleeps and writes again and again until the standard input ends; prints by how much each took too long."""
    late, disk = [0.0], [0.0]
    over = threading.Event()

    def write():
        with tempfile.TemporaryFile(buffering=0) as file:
            while not over.wait(_PAUSE):
                begun = time.monotonic()
                file.seek(0)
                file.write(b"x" * 4096)
                os.fsync(file.fileno())
                disk.append(time.monotonic() - begun)

    print("begins", flush=True)
    writer = threading.Thread(target=write)
    writer.start()
    while True:
        begun = time.monotonic()
        if select.select([sys.stdin], [], [], _TICK)[0]:
            break
        late.append(time.monotonic() - begun - _TICK)
    over.set()
    writer.join()
    print(json.dumps((late, disk)))


if __name__ == "__main__":
    _measure()
