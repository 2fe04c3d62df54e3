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
    Domoticz.Status("m")
    Domoticz.Error("e")
    Domoticz.Log(5)
    Domoticz.Log("a", "b")
    try:
        Domoticz.Log(Message="x")
    except TypeError:
        Domoticz.Log("no keywords")
    Domoticz.Debug("unseen")
    Domoticz.Debugging(2)
    Domoticz.Debug("seen")
    Domoticz.Debugging(62)
    Domoticz.Debugging(0)
    Domoticz.Trace(True)
    Domoticz.Log("one\ntwo")
    print("printed")
