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
    global first
    first = Settings
    Domoticz.Heartbeat(1)
    texts = all(type(value) is str for value in Settings.values())
    Domoticz.Log("at first %s %s" % (Settings["Language"], texts))


def onHeartbeat():
    if "Number" in Settings:
        Domoticz.Log("now %r %r, the same %s, in it %s" % (Settings["Number"], Settings["Both"],
                                                       Settings is first, "Number" in first))
