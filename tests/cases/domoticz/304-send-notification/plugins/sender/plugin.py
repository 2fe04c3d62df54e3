"""
<plugin key="Sender" name="Sender" version="1.0" author="tests">
</plugin>
"""
import Domoticz


def onStart():
    Domoticz.Device("go", 1, "Text", Used=1).Create()
    Domoticz.Log("ready")


def onDeviceModified(Unit):
    Domoticz.Log("returns %r" % Domoticz.SendNotification("Door", body="open", priority=1, SOUND="ding"))
    Domoticz.SendNotification("only a subject", ExtraData="|Name=Cellar|Status=Wet|")
    Domoticz.SendNotification("nobody", "", 0, "", "", "telegram")
    Domoticz.SendNotification("late", SubSystem="bell", Delay=-1)
    Domoticz.SendNotification("")
    Domoticz.SendNotification("a", Priority="high")
    Domoticz.SendNotification()
    Domoticz.Log("done")
