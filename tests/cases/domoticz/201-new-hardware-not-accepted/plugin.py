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
    Domoticz.Heartbeat(1)
    Domoticz.Log("ready")


def onHeartbeat():
    if Settings["AcceptNewHardware"] == "0":
        Domoticz.Device("n", 1, "Text", Used=1).Create()
        Domoticz.Log("devices %s" % list(Devices))
