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
    unit = Domoticz.Unit(Name="n", DeviceID="d", Unit=1, TypeName="Text", Used=1)
    Domoticz.Log("new %r %r %r" % (unit.SignalLevel, unit.LastUpdate, list(Devices)))
    unit.nValue = 3
    unit.Create()
    Domoticz.Log("made %s %s %s" % (unit.Name, unit.nValue, Devices["d"].Units[1] is unit))
    Domoticz.Log(str(Devices["d"]))
    Domoticz.Log("unit " + str(unit))

    unit.Name = "x"
    unit.Update()
    Domoticz.Log("name %s" % unit.Name)
    unit.Name = "x"
    unit.Update(UpdateProperties=True)
    Domoticz.Log("name %s" % unit.Name)

    unit.Options = {"a": "b"}
    unit.Update()
    Domoticz.Log("options %s" % unit.Options)
    unit.Options = {"a": "b"}
    unit.Update(UpdateOptions=True)
    Domoticz.Log("options %s" % unit.Options)
    unit.Options = {"c": "d"}
    unit.Update(UpdateProperties=True, UpdateOptions=True)
    Domoticz.Log("options %s" % unit.Options)

    unit.nValue = 1
    unit.sValue = 12
    unit.Update()
    unit.Refresh()
    Domoticz.Log("value %s %r" % (unit.nValue, unit.sValue))
    try:
        unit.nValue = "1"
    except TypeError:
        Domoticz.Log("refused")

    unit.Update(TypeName="kWh")
    Domoticz.Log("type %s %s %s %s" % (unit.Type, unit.SubType, unit.nValue, unit.sValue))

    second = Domoticz.Unit("second", "d", 2, "Switch")
    second.Create()
    Domoticz.Unit("third", "other", 1, "Switch").Create()
    Domoticz.Log("devices %s" % [(key, list(Devices[key].Units)) for key in Devices])
    second.Delete()
    Domoticz.Log("left %s %s" % (list(Devices["d"].Units), second.ID != -1))
    Devices["d"].TimedOut = 1
    Domoticz.Log("done")
