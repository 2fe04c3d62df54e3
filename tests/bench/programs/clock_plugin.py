"""Keeps when each command arrived, and tells it when asked."""

import json
import time

import Domoticz

times = []


def onStart():
    Domoticz.Device(Name="Switch", Unit=1, TypeName="Switch", Used=1).Create()


def onCommand(Unit, Command, Level, Color):
    now = time.time()
    if Command == "tell":
        # Whole microseconds after the first: a log line is bounded.
        first = times[0] if times else 0
        Domoticz.Log("TIMES " + json.dumps([first, [round((arrived - first) * 1e6) for arrived in times]]))
        times.clear()
    else:
        times.append(now)
