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
    Domoticz.Log("has %s" % [str(dev) for dev in Devices.values()])
    if 1 not in Devices:
        Domoticz.Device("n", 1, "Text").Create()
    Devices[1].Update(7, "kept")
    Domoticz.Log("done")
