"""Times calls to the hub and switches of threads from the inside."""

import json
import threading
import time

import Domoticz
import _cordon

BATCHES = 2000
CALLS = 50
SWITCHES = 2000


def onCommand(Unit, Command, Level, Color):
    if Command == "calls":
        Domoticz.Log("CALLS " + json.dumps(calls()))
    elif Command == "switches":
        Domoticz.Log("SWITCHES " + json.dumps(switches()))


def calls():
    """Microseconds per call of a function of the hub, a figure per batch.

    The loop around the calls is part of it: it costs some tens of nanoseconds.
    """
    figures = []
    call, clock = _cordon.heartbeat, time.perf_counter
    rounds = range(CALLS)
    for _ in range(BATCHES):
        begun = clock()
        for _ in rounds:
            call()
        figures.append((clock() - begun) / CALLS * 1e6)
    figures.sort()
    # A log line is bounded: every twentieth of the sorted figures tells as much.
    return [round(figure, 4) for figure in figures[::20]] + [round(figures[int(BATCHES * 0.99)], 4)]


def switches():
    """Microseconds per switch between two threads that wake each other."""
    figures = []
    for _ in range(20):
        mine, yours = threading.Lock(), threading.Lock()
        mine.acquire()
        yours.acquire()

        def other():
            for _ in range(SWITCHES):
                yours.acquire()
                mine.release()

        thread = threading.Thread(target=other)
        thread.start()
        begun = time.perf_counter()
        for _ in range(SWITCHES):
            yours.release()
            mine.acquire()
        figures.append((time.perf_counter() - begun) / (2 * SWITCHES) * 1e6)
        thread.join()
    return [round(figure, 3) for figure in figures]


def onStart():
    pass
