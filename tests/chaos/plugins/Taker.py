# A plugin that says every command that it gets.
"""
<plugin key="Taker" name="Taker" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Dimmers" default="1"/>
    </params>
</plugin>
"""

import Domoticz


def onStart():
    for unit in range(1, int(Parameters["Mode1"]) + 1):
        if unit not in Devices:
            Domoticz.Device(
                Name="dimmer %d" % unit, Unit=unit, Type=244, Subtype=73, Switchtype=7, Used=1
            ).Create()
    Domoticz.Heartbeat(30)
    Domoticz.Log("started")


def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("took %d %d" % (Unit, Level))
