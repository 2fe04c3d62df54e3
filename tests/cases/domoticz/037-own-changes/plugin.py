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
    dev = Domoticz.Device("n", 1, "Text")
    dev.Create()
    dev.Update(0, "x", Name="N")
    Domoticz.Log("named %s" % dev.Name)
    dev.Update(5, "new", SuppressTriggers=True)
    Domoticz.Log("kept %d %s" % (dev.nValue, dev.sValue))
    dev.Delete()
    Domoticz.Heartbeat(1)


def onDeviceAdded(Unit):
    Domoticz.Log("told")


onDeviceModified = onDeviceRemoved = onDeviceAdded


def onHeartbeat():
    Domoticz.Log("beat")
