"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


class OwnDevice(Domoticz.Device):
    pass


Domoticz.Register(OwnDevice)


def onStart():
    Domoticz.Log("loaded %s" % [type(device).__name__ for device in Devices.values()])
    if not Devices:
        Domoticz.Device("n", 1, "Text").Create()
    Domoticz.Log("started")
