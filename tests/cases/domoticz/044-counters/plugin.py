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
    dev = Domoticz.Device("n", 1, "Counter Incremental")
    dev.Create()
    dev.Update(0, "5")
    dev.Update(0, "5")
    Domoticz.Log("count %s" % dev.sValue)
