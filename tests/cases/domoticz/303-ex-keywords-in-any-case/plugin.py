"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import DomoticzEx as Domoticz


class Mine(Domoticz.Unit):
    pass


Domoticz.Register(device=Domoticz.Device, UNIT=Mine)


def unit(number):
    return Devices["d"].Units[number]


def onStart():
    Domoticz.Unit(name="t", deviceid="d", unit=1, typename="temp+hum").Create()
    Domoticz.Unit(NAME="s", DEVICEID="d", Unit=2, Type=244, SubType=73, SwitchType=7).Create()
    for number in (1, 2):
        Domoticz.Log("%d %s" % (number, (unit(number).Type, unit(number).SubType, unit(number).SwitchType)))
    unit(2).Name, unit(2).nValue, unit(2).sValue = "other", 2, "50"
    unit(2).Update(LOG=False, updateproperties=True)
    Domoticz.Log("2 is called %s %d %r" % (unit(2).Name, unit(2).nValue, unit(2).sValue))
    for number in (3, 4):
        Domoticz.Unit(Name="c", DeviceID="d", Unit=number, TypeName="Custom", Options={"Custom": "1;l"}).Create()
    unit(3).Options = {"Custom": "1;bar"}
    unit(3).Update(updateOptions=True)
    Devices["d"].Refresh()
    Domoticz.Log("3 %r 4 %r" % (unit(3).Options, unit(4).Options))
    Domoticz.Log("of class %s" % type(unit(4)).__name__)
