"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import Domoticz


def onStart():
    stored = {"note": 'say "hi"\n', "paths": ["C:\\x"], "n\n": "'", "bytes": b'"\\'}
    read = Domoticz.Configuration(stored)
    stored["bytes"] = '"\\'
    Domoticz.Log("equal %s" % (read == stored and Domoticz.Configuration() == stored))
    wide = Domoticz.Configuration({"wide": 1712345678901})["wide"]
    Domoticz.Log("wide %r %s" % (wide, type(wide).__name__))
    Domoticz.Log("keys %r" % sorted(read))
    Domoticz.Log("%r" % Domoticz.Configuration([1]))
    Domoticz.Debugging(65535)
    local = "here"
    Domoticz.Dump(local)
    Domoticz.Debugging(0)
