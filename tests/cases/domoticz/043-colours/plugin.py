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
    dev = Domoticz.Device("n", 1, "RGB")
    dev.Create()
    for color in ('{"m":3,"r":255,"g":0,"b":0}', "junk", '{"m":9}'):
        dev.Update(0, "x", Color=color)
        Domoticz.Log("colour %r" % dev.Color)
