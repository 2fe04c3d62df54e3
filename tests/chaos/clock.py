"""The clock on the wall jumps by an hour and back, and heartbeats, commands and deadlines do not notice.

The machine's clock stays: a library, made here by the C compiler and loaded before the others, adds to the time that
the hub reads.
"""

import os
import shutil
import subprocess
import tempfile
import time

from figures import Beats, milliseconds, percentile
from machine import Delay, Share
from stage import LeftOut

JUMPS = (3600, -3600, 86400, -7200)
# Heartbeats that come within the time after a jump, beside those that are due.
SECONDS = 8

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds that are added; the scenario writes them into the file. */
static volatile long *added;

__attribute__((constructor)) static void begin(void)
{
    int file = open(getenv("CORDON_CHAOS_CLOCK"), O_RDONLY);
    added = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *moment)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, moment);
    if (!failed && added && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        moment->tv_sec += *added;
    return failed;
}

time_t time(time_t *result)
{
    struct timespec moment;
    clock_gettime(CLOCK_REALTIME, &moment);
    if (result)
        *result = moment.tv_sec;
    return moment.tv_sec;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone)
{
    struct timespec moment;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &moment);
    result->tv_sec = moment.tv_sec;
    result->tv_usec = moment.tv_nsec / 1000;
    return 0;
}
"""


def run(stage, report):
    clock = Clock(stage)
    site = stage.site(20)
    site.several(5, "B", "Beat.py", {"Mode1": "1"})
    site.several(3, "T", "Threads.py", {"Mode1": "1"})
    site.several(3, "S", "Sqlite.py", {"Mode1": "1"})
    site.several(
        2, "Z", "Slow.py", {"Mode1": "4", "Mode2": "1"}, "limits = { callback-wall = 10000 }"
    )
    with clock:
        site.start()
    started = site.wait(": started", 13, 60)
    report.check("plugins started", "%d of 13" % started, "all", started == 13)
    for jump in JUMPS * stage.choose(1, 3):
        leap(site, report, clock, jump)
    begun = time.monotonic()
    site.stop()
    took = time.monotonic() - begun
    report.check("stop after all of them", "%.1f s" % took, "within 10 s", took < 10)
    report.zero("lives that ended", len(site.faults()))
    report.notes_of("log", site.faults())


def leap(site, report, clock, jump):
    """One jump, in the middle of callbacks."""
    words = "%+d s" % jump
    client = site.client()
    for name in ("Z0", "Z1"):
        client.command("switchlight", idx=site.own(name)[0]["idx"], switchcmd="On")
    left = site.count(": leaves")
    time.sleep(1)
    with Delay() as delay, Share(site.usage()) as share:
        place = len(site.lines)
        clock.jump(jump)
        since = time.time() + clock.added
        begun = time.monotonic()
        told = client.command("getdevices")["ActTime"] - time.time()
        answered = time.monotonic() - begun
        time.sleep(SECONDS)
    beats = Beats(site.since(place))
    # A heartbeat before the jump may be said after it.
    counts = [
        sum(since <= moment < since + SECONDS for moment in beats.moments(name))
        for name in beats.names("B", "T", "S")
    ]
    late = percentile(beats.late(1, since=since), 1.0)
    report.check(
        "%s: the hub's clock is ahead by" % words,
        "%.0f s" % told,
        "%d s" % clock.added,
        abs(told - clock.added) < 5,
    )
    report.check(
        "%s: heartbeats of each in %d s" % (words, SECONDS),
        "%d to %d" % (min(counts), max(counts)),
        "%d to %d, of all 11" % (SECONDS - 2, SECONDS + 1),
        len(counts) == 11 and min(counts) >= SECONDS - 2 and max(counts) <= SECONDS + 1,
    )
    report.timed(
        "%s: latest heartbeat; machine's delay" % words,
        "%.0f ms; %s" % (milliseconds(late), delay),
        "below 500 ms more",
        late < delay.worst + 0.5,
        share,
    )
    report.timed(
        "%s: answer of the API" % words,
        "%.0f ms" % milliseconds(answered),
        "within 1000 ms",
        answered < 1,
        share,
    )
    done = site.wait(": leaves", left + 2, 15) - left
    report.check("%s: callbacks that returned" % words, done, "2", done == 2)
    client.close()


class Clock:
    """A clock for the programs that are started inside of the `with`."""

    def __init__(self, stage):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            raise LeftOut("there is no C compiler")
        folder = tempfile.mkdtemp(prefix="cordon-chaos-clock-")
        stage.later(lambda: shutil.rmtree(folder, ignore_errors=True))
        self.library = os.path.join(folder, "clock.so")
        self.file = os.path.join(folder, "added")
        self.added = 0
        self.jump(0)
        source = os.path.join(folder, "clock.c")
        with open(source, "w") as file:
            file.write(SOURCE)
        made = subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", self.library, source, "-ldl"],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise LeftOut("the C compiler cannot make the library: " + made.stderr[-200:])

    def jump(self, seconds):
        """Moves the clock by so many seconds."""
        self.added += seconds
        with open(self.file, "r+b" if os.path.exists(self.file) else "wb") as file:
            file.write(self.added.to_bytes(8, "little", signed=True))

    def __enter__(self):
        os.environ.update(LD_PRELOAD=self.library, CORDON_CHAOS_CLOCK=self.file)

    def __exit__(self, *_):
        del os.environ["LD_PRELOAD"], os.environ["CORDON_CHAOS_CLOCK"]
