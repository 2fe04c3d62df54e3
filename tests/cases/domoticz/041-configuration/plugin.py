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
    Domoticz.Log("found %r" % Domoticz.Configuration())
    Domoticz.Log("stored %r" % Domoticz.Configuration({"Z": 1, "a": (1, 2), "b": b"x"}))
    Domoticz.Log("refused %r" % Domoticz.Configuration("x"))
