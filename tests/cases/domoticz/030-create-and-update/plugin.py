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
    dev = Domoticz.Device(Name="n", Unit=1, TypeName="Temperature", Used=1)
    Domoticz.Log("new %s %s %s %s" % (dev.SignalLevel, dev.BatteryLevel, dev.LastUpdate, dev.ID))
    dev.Create()
    Domoticz.Log("made %s %s %s" % (dev.Name, dev.SignalLevel, Devices[1] is dev))
    Domoticz.Log(str(dev))
    dev.Update(1)
    dev.Update(1.0, "x")
    dev.Update(0, "19.5", BatteryLevel=50, TimedOut=1)
    dev.Update(0, "20.5")
    dev.Refresh()
    Domoticz.Log("now %s %s %s" % (dev.sValue, dev.BatteryLevel, dev.TimedOut))
