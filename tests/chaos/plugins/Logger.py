# A plugin that says thirty lines at each heartbeat.
"""
<plugin key="Logger" name="Logger" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
    </params>
</plugin>
"""

import time

import Domoticz

beats = 0


def onStart():
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    Domoticz.Log("started")


def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d %.4f" % (beats, time.time()))
    for number in range(30):
        Domoticz.Log("line %d of %d" % (number, beats) + " and its rest" * 5)
