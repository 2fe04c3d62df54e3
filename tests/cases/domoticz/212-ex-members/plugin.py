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
    u = Domoticz.Unit(Name="n", DeviceID="d", Unit=1, TypeName="Text")
    try:
        u.nValue = "1"
    except TypeError:
        Domoticz.Log("no text")
    try:
        u.ID = 5
    except AttributeError:
        Domoticz.Log("read only %d %d" % (u.nValue, u.ID))
