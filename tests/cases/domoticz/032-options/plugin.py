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
    Domoticz.Device("n", 1, Options={"b": "x", "a": 1, "c": ""}).Create()
    Domoticz.Device("n", 2, TypeName="Custom", Options={"Custom": "1;W", "z": "q"}).Create()
    for dev in Devices.values():
        dev.Refresh()
        Domoticz.Log("options %r" % dev.Options)
    Devices[1].Update(0, "x", Options={})
    Domoticz.Log("cleared %r" % Devices[1].Options)
