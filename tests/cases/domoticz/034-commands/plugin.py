"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

def onStart():
    kinds = ("Dimmer", "Selector Switch", "BlindsPercentage", "On/Off")
    for unit, kind in enumerate(kinds, 1):
        Domoticz.Device("n", unit, kind, Used=1).Create()
    Devices[1].Update(2, "40")
    Devices[1].Update(0, "40")
    Domoticz.Log("ready")


def onCommand(Unit, Command, Level, Color):
    dev = Devices[Unit]
    Domoticz.Log("%d %s %r %r, still %d" % (Unit, Command, Level, Color, dev.nValue))
