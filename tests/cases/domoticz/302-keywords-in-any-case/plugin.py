"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import Domoticz


def show(unit, more=""):
    device = Devices[unit]
    Domoticz.Log("%d %s %d %r%s" % (unit, (device.Type, device.SubType, device.SwitchType),
                                    device.nValue, device.sValue, more))


def onStart():
    Domoticz.Device(NAME="a", unit=1, typename="switch", used=1).Create()
    show(1)
    Devices[1].Update(nvalue=1, SVALUE="On", batterylevel=77)
    show(1, " %d" % Devices[1].BatteryLevel)
    Domoticz.Device("b", 2, "selector SWITCH").Create()
    show(2)
    Domoticz.Device("c", 3, TypeName="BlindsWithStop").Create()
    show(3)
    Domoticz.Device("d", 4, TypeName="no such type").Create()
    show(4)
    Domoticz.Device("e", 5, Type=243, Subtype=29).Create()
    show(5)
    Domoticz.Device("f", 6, Type=244, SubType=73, SwitchType=7).Create()
    show(6)
    connection = Domoticz.Connection(name="c", TRANSPORT="TCP/IP", protocol="Line", address="h", port="1")
    Domoticz.Log("connection %s" % connection)
    Domoticz.Log("stored %r" % Domoticz.Configuration(config={"a": 1}))
    Devices[1].Update(nValue=1, sValue="On", sValues="Off")
