"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import DomoticzEx as Domoticz


class OwnDevice(Domoticz.Device):
    pass


class OwnUnit(Domoticz.Unit):
    pass


Domoticz.Register(Device=OwnDevice, Unit=OwnUnit)


def onStart():
    kinds = [(type(device).__name__, [type(unit).__name__ for unit in device.Units.values()])
             for device in Devices.values()]
    Domoticz.Log("loaded %s" % kinds)
    if not Devices:
        Domoticz.Unit(Name="n", DeviceID="d", Unit=1, TypeName="Text").Create()
    Domoticz.Log("started")
