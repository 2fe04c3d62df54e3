"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import DomoticzEx as Domoticz


class MyUnit(Domoticz.Unit):
    def __init__(self, Name, DeviceID, Unit, TypeName="", Type=0, Subtype=0, Switchtype=0,
                 Image=0, Options="", Used=0, Description=""):
        super().__init__(Name, DeviceID, Unit, TypeName, Type, Subtype, Switchtype, Image,
                         Options, Used, Description)
        self.extra = "extra"

    def onDeviceModified(self):
        Domoticz.Log("unit modified %s %s" % (self.Name, self.extra))


class Lamp(MyUnit):
    def onCommand(self, Command, Level, Color):
        Domoticz.Log("unit command %s %r %r" % (Command, Level, Color))


class MyDevice(Domoticz.Device):
    def onCommand(self, Unit, Command, Level, Color):
        Domoticz.Log("device command %s %s %s %r" % (self.DeviceID, Unit, Command, Level))

    def onDeviceRemoved(self, Unit):
        Domoticz.Log("device removed %s" % (Unit in self.Units))


Domoticz.Register(Device=MyDevice, Unit=MyUnit)


def onStart():
    if not Devices:
        MyUnit(Name="a", DeviceID="d", Unit=1, TypeName="Switch", Used=1).Create()
        Lamp(Name="b", DeviceID="d", Unit=2, TypeName="Dimmer", Used=1).Create()
        Domoticz.Log("first start")
        return
    unit = Devices["d"].Units[1]
    Domoticz.Log("loaded %s %s %s" % (type(Devices["d"]).__name__, type(unit).__name__, unit.extra))


def onCommand(DeviceID, Unit, Command, Level, Color):
    Domoticz.Log("module command")


def onDeviceRemoved(DeviceID, Unit):
    Domoticz.Log("module removed")
