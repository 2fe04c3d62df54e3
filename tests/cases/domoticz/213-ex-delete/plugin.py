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
    for unit in (1, 2):
        Domoticz.Unit(Name="n%d" % unit, DeviceID="d", Unit=unit, TypeName="Text", Used=1).Create()
    Devices["d"].Units[1].Delete()
    Domoticz.Log("left %s" % list(Devices["d"].Units))
