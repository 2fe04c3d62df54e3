"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import DomoticzEx as Domoticz


def onStart():
    Domoticz.Unit("lamp", "d", 7, "Switch", Used=1).Create()
    Domoticz.Unit("heat", "t", 1, "Set Point", Used=1).Create()
    Domoticz.Unit("words", "x", 1, "Text", Used=1).Create()
    Domoticz.Log("made")


def onCommand(DeviceID, Unit, Command, Level, Color):
    Domoticz.Log("command %r %r %r %r %r" % (DeviceID, Unit, Command, Level, Color))


def onDeviceModified(DeviceID, Unit):
    Domoticz.Log("modified %s" % Devices[DeviceID].Units[Unit].sValue)
