# A plugin that writes a file at each heartbeat, reads it again and lists its folder.
"""
<plugin key="Files" name="Files" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
    </params>
</plugin>
"""

import os
import time

import Domoticz

beats = 0


def onStart():
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    Domoticz.Log("started")


def onHeartbeat():
    global beats
    beats += 1
    begun = time.time()
    with open("figures.txt", "w") as file:
        file.write("%d\n" % beats * 500)
    with open("figures.txt") as file:
        lines = len(file.readlines())
    names = len(os.listdir("."))
    Domoticz.Log(
        "beat %d %.4f answers=%d names=%d took=%.4f"
        % (beats, begun, lines, names, time.time() - begun)
    )
