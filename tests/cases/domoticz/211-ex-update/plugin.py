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
    u.Create()
    u.Name = "x"
    u.Update()
    Domoticz.Log("name kept %s" % u.Name)
    u.Name = "x"
    u.Update(UpdateProperties=True)
    Domoticz.Log("name stored %s" % u.Name)
    u.Options = {"a": "b"}
    u.Update()
    Domoticz.Log("options kept %r" % u.Options)
    u.Options = {"a": "b"}
    u.Update(UpdateOptions=True)
    Domoticz.Log("options stored %r" % u.Options)
    u.Options = {"c": "d"}
    u.Name = "y"
    u.Update(UpdateProperties=True, UpdateOptions=True)
    Domoticz.Log("both stored %s %r" % (u.Name, u.Options))
    u.nValue = 1
    u.sValue = "s"
    u.Update()
    Domoticz.Log("values %d %r" % (u.nValue, u.sValue))
    u.sValue = 12
    u.Update()
    Domoticz.Log("text %r" % u.sValue)
    u.Update(TypeName="kWh")
    Domoticz.Log("type %d %d %d %r" % (u.Type, u.SubType, u.nValue, u.sValue))
