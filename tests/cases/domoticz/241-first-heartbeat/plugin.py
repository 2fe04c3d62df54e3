"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


import time

loaded = time.monotonic()


def onStart():
    Domoticz.Log("interval %d" % Domoticz.Heartbeat())


def onHeartbeat():
    # The worker's clock began a little before this module was loaded.
    Domoticz.Log("beat, early %s" % (time.monotonic() - loaded < 9))
    Domoticz.Heartbeat(1)
