"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

Domoticz.Log("early")
early = Domoticz.Heartbeat(30)


def onStart():
    Domoticz.Log("started, Heartbeat gave %d and is %d" % (early, Domoticz.Heartbeat()))
