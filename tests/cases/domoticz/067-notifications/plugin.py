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
    Domoticz.Notifier("Speaker")
    Domoticz.Device(Name="lamp", Unit=1, TypeName="Switch", Used=1).Create()
    Domoticz.Device(Name="room", Unit=2, TypeName="Temperature", Used=1).Create()
    Domoticz.Log("ready")


def onCommand(Unit, Command, Level, Color):
    Devices[Unit].Update(1 if Command == "On" else 0, "")


def onNotification(Name, Subject, Text, Status, Priority, Sound, ImageFile):
    Domoticz.Log("notified %r %r %r %r %r %r" % (
        Name, Subject == Text, Status, Priority, Sound, ImageFile))
