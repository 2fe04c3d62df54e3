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
    Domoticz.Device("n", 1, "Setpoint", Used=1).Create()
    Domoticz.Log("ready")


def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("%s %r %r" % (Command, Level, Color))
