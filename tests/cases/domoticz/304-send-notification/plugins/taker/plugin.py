"""
<plugin key="Taker" name="Taker" version="1.0" author="tests">
</plugin>
"""
import Domoticz


def onStart():
    Domoticz.Notifier("bell")
    Domoticz.Log("takes them")


def onNotification(Name, Subject, Text, Status, Priority, Sound, ImageFile):
    Domoticz.Log("got %r %r %r %r %r %r" % (Name, Subject, Text, Status, Priority, Sound))
