# A plugin that does nothing but live, with as many text devices as one likes.
"""
<plugin key="Beat" name="Beat" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
        <param field="Mode2" label="Devices" default="0"/>
    </params>
</plugin>
"""

import time

import Domoticz

beats = 0


def onStart():
    for unit in range(1, int(Parameters["Mode2"] or 0) + 1):
        if unit not in Devices:
            Domoticz.Device(Name="text %d" % unit, Unit=unit, TypeName="Text", Used=1).Create()
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    Domoticz.Log("started")


def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d %.4f" % (beats, time.time()))
