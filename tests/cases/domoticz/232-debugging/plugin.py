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
    Domoticz.Debugging(62)
    Domoticz.Debugging(1)
    Domoticz.Debugging(0)
    Domoticz.Log("done")
