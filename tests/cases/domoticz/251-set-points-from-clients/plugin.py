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
    Room = {"ValueStep": "0.5", "ValueMin": "5", "ValueMax": "30", "ValueUnit": "°C"}
    Domoticz.Device("Room", 1, TypeName="Set Point", Options=Room, Used=1).Create()
    Devices[1].Update(0, "20.5")
    Fan = {"ValueStep": "10", "ValueMin": "0", "ValueMax": "3000", "ValueUnit": "rpm"}
    Domoticz.Device("Fan", 2, TypeName="Set Point", Options=Fan, Used=1).Create()
    Devices[2].Update(0, "1500")
    Domoticz.Log("ready")


def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("%d %s %s while %s" % (Unit, Command, Level, Devices[Unit].sValue))


def onDeviceModified(Unit):
    Domoticz.Log("modified %d" % Unit)
