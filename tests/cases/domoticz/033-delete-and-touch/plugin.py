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
    dev = Domoticz.Device("n", 1, "Text", Used=1)
    dev.Create()
    dev.Update(0, "hello")
    before = (dev.nValue, dev.sValue)
    dev.Touch()
    Domoticz.Log("touched %s %d" % ((dev.nValue, dev.sValue) == before, len(dev.LastUpdate)))


def onCommand(Unit, Command, Level, Color):
    pass


def onDeviceModified(Unit):
    dev = Devices[Unit]
    dev.Delete()
    Domoticz.Log("deleted %s %d" % (1 in Devices, dev.ID))
    dev.Create()
