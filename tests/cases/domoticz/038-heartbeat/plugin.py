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
    Domoticz.Log("at first %d" % Domoticz.Heartbeat())
    Domoticz.Log("nothing %d" % Domoticz.Heartbeat(0))
    Domoticz.Log("one %d, still %d" % (Domoticz.Heartbeat(1), Domoticz.Heartbeat()))


def onHeartbeat():
    Domoticz.Log("beat at %d" % Domoticz.Heartbeat())
