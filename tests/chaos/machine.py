"""The machine below a scenario: how late it wakes a program that only sleeps, and what a process takes of it."""

import json
import os
import subprocess
import sys
import time

from figures import milliseconds, percentile

_TICK = 0.01


class Delay:
    """Measures in a process of its own how late the system wakes it; its figures are there after the `with`.

    What a heartbeat is late beyond this is the hub's; up to this it is the machine's.
    """

    def __init__(self):
        self.median = self.p99 = self.worst = None

    def __enter__(self):
        command = [sys.executable, os.path.abspath(__file__)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        said, _ = self.process.communicate()
        late = json.loads(said)
        self.median, self.p99, self.worst = percentile(late, 0.5), percentile(late, 0.99), max(late)

    def __str__(self):
        return "p50 %.1f, p99 %.1f, worst %.0f ms" % tuple(map(milliseconds, (self.median, self.p99, self.worst)))


class Process:
    """What the system tells of a process."""

    def __init__(self, pid):
        self.folder = "/proc/%d" % pid

    def memory(self):
        """KiB of its own memory: what is no file and not shared."""
        return self._status("RssAnon")

    def threads(self):
        """Its threads."""
        return self._status("Threads")

    def computing(self):
        """Seconds of computing time up to now."""
        with open(self.folder + "/stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name):
        with open(self.folder + "/status") as file:
            line = next((it for it in file if it.startswith(name + ":")), None)
        if line is None:
            raise ProcessLookupError("%s has ended" % self.folder)
        return int(line.split()[1])


def available():
    """KiB of the machine's memory that programs can still have."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable:"))


def load():
    """The system's load of the last minute."""
    return "%.1f on %d cores" % (os.getloadavg()[0], os.cpu_count())


def _measure():
    """Sleeps again and again until the standard input ends; prints by how much each sleep was too long."""
    import select
    late = []
    while True:
        begun = time.monotonic()
        ended = select.select([sys.stdin], [], [], _TICK)[0]
        if ended:
            break
        late.append(time.monotonic() - begun - _TICK)
    print(json.dumps(late or [0.0]))


if __name__ == "__main__":
    _measure()
