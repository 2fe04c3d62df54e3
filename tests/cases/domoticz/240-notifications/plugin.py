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
    Domoticz.Notifier("tests")
    Domoticz.Device("n", 1, "Switch", Used=1).Create()
    Domoticz.Log("ready")


def onCommand(Unit, Command, Level, Color):
    Devices[Unit].Update(1 if Command == "On" else 0, "")
    Domoticz.Log("switched %s" % Command)


def onNotification(Name, Subject, Text, Status, Priority, Sound, ImageFile):
    Domoticz.Log("notification %r %s %s %r %s %r %s" % (Name, len(Subject) > 0, Text == Subject, Status,
                                                       type(Priority).__name__, Sound, type(ImageFile).__name__))
