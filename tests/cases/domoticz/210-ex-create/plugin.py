"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import DomoticzEx as Domoticz


def onStart():
    u = Domoticz.Unit(Name="n", DeviceID="d", Unit=1, TypeName="Text", Used=1)
    Domoticz.Log("new %s %s %r %s" % (u.SignalLevel, u.BatteryLevel, u.LastUpdate, u.ID))
    u.Create()
    Domoticz.Log("made %s %s %s" % (u.Name, Devices["d"].Units[1] is u, u.Parent is Devices["d"]))
    Domoticz.Log(str(Devices["d"]))
    u.Refresh()
    Domoticz.Log(str(u))
    other = Domoticz.Unit(Name="m", DeviceID="d", Unit=2, TypeName="Switch", Used=1)
    other.nValue = 3
    other.Create()
    Domoticz.Log("stored %d %s" % (other.nValue, str(Devices["d"])))
