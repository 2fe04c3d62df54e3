"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import DomoticzEx as Domoticz


def onStart():
    Domoticz.Unit("room", "d", 1, "Temperature", Used=1).Create()
    tell("starts with")


def onDeviceModified(DeviceID, Unit):
    tell("hears of")


def tell(what):
    unit = Devices["d"].Units[1]
    Domoticz.Log("%s %r %r" % (what, unit.Adjustment, unit.Multiplier))
    # Assigned, and never stored.
    unit.Adjustment = 9
    unit.sValue = "20.0"
    unit.Update(Log=True)
    Domoticz.Log("keeps %r %r %s" % (unit.Adjustment, unit.Multiplier, unit.sValue))
