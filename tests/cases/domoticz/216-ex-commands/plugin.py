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
    def onCommand(self, Unit, Command, Level, Color):
        Domoticz.Log("device %s: %d %s %d %r" % (self.DeviceID, Unit, Command, Level, Color))


class OwnUnit(Domoticz.Unit):
    def onCommand(self, Command, Level, Color):
        Domoticz.Log("unit %s %d: %s %d %r" % (self.Parent.DeviceID, self.Unit, Command, Level, Color))


def make(device_id):
    Domoticz.Unit(Name="n", DeviceID=device_id, Unit=1, TypeName="Switch", Used=1).Create()


def onStart():
    make("plain")
    Domoticz.Register(OwnDevice)
    make("device")
    Domoticz.Register(OwnDevice, OwnUnit)
    OwnUnit(Name="n", DeviceID="unit", Unit=1, TypeName="Switch", Used=1).Create()
    Domoticz.Log("ready %s" % [type(device).__name__ for device in Devices.values()])


def onCommand(DeviceID, Unit, Command, Level, Color):
    Domoticz.Log("module %s: %d %s %d %r" % (DeviceID, Unit, Command, Level, Color))
