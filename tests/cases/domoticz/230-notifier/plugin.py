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
    for name in ("a b", ""):
        Domoticz.Notifier(name)
        Domoticz.Log("asked for %r" % name)
