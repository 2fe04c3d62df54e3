"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


VALUES = {"q": 'say "hi"', "path": "C:\\new\\table", "f": 3.0, "small": 1e-09, "b": [True, False], "u": "h\u00e9", "n": -7}


def onStart():
    found = Domoticz.Configuration()
    stored = Domoticz.Configuration(VALUES)
    for when, values in (("found", found), ("stored", stored)):
        Domoticz.Log("%s %s %s" % (when, values == VALUES, [type(values[key]).__name__ for key in ("f", "b") if key in values]))
