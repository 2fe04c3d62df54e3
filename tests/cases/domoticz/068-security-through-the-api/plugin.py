"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import DomoticzEx as Domoticz


class Panel(Domoticz.Unit):
    def onSecurityEvent(self, Level, Description):
        Domoticz.Log("unit %s %r %r" % (self.Name, Level, Description))


def onStart():
    Domoticz.Register(Device=Domoticz.Device, Unit=Panel)
    Panel("panel", "house", 1, "Security Panel", Used=1).Create()
    Domoticz.Log("ready")


def onSecurityEvent(DeviceID, Unit, Level, Description):
    Domoticz.Log("module")
