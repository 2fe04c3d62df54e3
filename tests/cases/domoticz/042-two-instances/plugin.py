"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

import sys

shared = []


def onStart():
    sys.modules.setdefault("shared_by_accident", shared).append(1)
    Domoticz.Device("n", 16, "Text").Create()
    Domoticz.Configuration({"name": Parameters["Name"]})
    Domoticz.Log("%s %s %d %d" % (Parameters["Address"], Devices[16].DeviceID, len(Devices),
                                  len(sys.modules["shared_by_accident"])))


def onStop():
    Domoticz.Log("%r" % Domoticz.Configuration())
