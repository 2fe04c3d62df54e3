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

try:
    Parameters
    at_import = "there"
except NameError:
    at_import = "not there"


def onStart():
    Domoticz.Log("at import %s, now %d" % (at_import, len(Parameters)))
    kinds = {type(value).__name__ for key, value in Parameters.items() if key != "HardwareID"}
    Domoticz.Log("HardwareID %s, others %s" % (type(Parameters["HardwareID"]).__name__, kinds))
    home = Parameters["HomeFolder"]
    Domoticz.Log("home %s %s" % (home.endswith("/"), home == sys.path[0]))
    Domoticz.Log("first %s, last %s" % (list(Parameters)[0], list(Parameters)[-1]))
    Domoticz.Log("port %r, name %r" % (Parameters["Port"], Parameters["Name"]))
    Domoticz.Log("devices %r, images %r" % (Devices, Images))
