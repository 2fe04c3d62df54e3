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
    Domoticz.Log("normal")
    Domoticz.Debugging(2)
    Domoticz.Debug("detail")
    print("printed")
    Domoticz.Status("told")
    Domoticz.Error("wrong")
