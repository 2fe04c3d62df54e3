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
    Domoticz.Device("n", 1, "Text", Used=1).Create()
    Domoticz.Log("ready")


def onDeviceModified(Unit):
    Domoticz.Log("modified %s %s" % (Devices[Unit].Name, Devices[Unit].sValue))
    Domoticz.Heartbeat(1)


def onDeviceRemoved(Unit):
    Domoticz.Log("removed, still there %s" % (Unit in Devices))


def onHeartbeat():
    Domoticz.Log("beat %s" % list(Devices))
