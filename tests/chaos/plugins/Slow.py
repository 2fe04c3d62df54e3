# A plugin whose commands take long: so many naps of so many seconds each.
"""
<plugin key="Slow" name="Slow" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Naps" default="1"/>
        <param field="Mode2" label="Seconds of each" default="20"/>
    </params>
</plugin>
"""

import time

import Domoticz


def onStart():
    if 1 not in Devices:
        Domoticz.Device(Name="switch", Unit=1, TypeName="Switch", Used=1).Create()
    Domoticz.Heartbeat(30)
    Domoticz.Log("started")


def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("enters")
    for _ in range(int(Parameters["Mode1"])):
        time.sleep(float(Parameters["Mode2"]))
    Domoticz.Log("leaves")


def onStop():
    Domoticz.Log("stops")
