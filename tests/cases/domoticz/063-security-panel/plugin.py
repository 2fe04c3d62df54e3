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
    Domoticz.Device(Name="panel", Unit=3, TypeName="Security Panel", Used=1).Create()
    Domoticz.Device(Name="second", Unit=4, TypeName="Security Panel", Used=1).Create()
    Domoticz.Log("made %s %s" % (Devices[3].Type, Devices[3].SubType))
    Devices[3].Update(9, "")
    Devices[3].Update(10, "")
    Devices[4].Update(11, "")
    Devices[3].Update(6, "")


def onSecurityEvent(Unit, Level, Description):
    Domoticz.Log("security %r %r %r" % (Unit, Level, Description))
    if Level == 1:
        Devices[3].Update(13, "")
