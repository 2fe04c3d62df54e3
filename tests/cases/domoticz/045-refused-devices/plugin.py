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
    Domoticz.Log("units %s" % [Domoticz.Device("n", unit).Unit for unit in (0, 256)])
    Domoticz.Device(Unit=1)
    first = Domoticz.Device("n", 1, "Text")
    first.Create()
    first.Create()
    Domoticz.Device("other", 1, "Switch").Create()
    Domoticz.Log("one device: %s" % [dev.Name for dev in Devices.values()])
    try:
        first.nValue = 1
    except AttributeError:
        Domoticz.Log("read only")
