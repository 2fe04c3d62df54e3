"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import Domoticz


def onStart():
    if 1 not in Devices:
        Domoticz.Device("room", 1, "Temperature", Used=1).Create()
    tell("starts with")


def onDeviceModified(Unit):
    tell("hears of")


def tell(what):
    device = Devices[1]
    Domoticz.Log("%s %r %r" % (what, device.Adjustment, device.Multiplier))
    device.Update(nValue=0, sValue="20.0")
    Domoticz.Log("keeps %r %r %s" % (device.Adjustment, device.Multiplier, device.sValue))
