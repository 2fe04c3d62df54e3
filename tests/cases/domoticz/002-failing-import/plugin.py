"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

import nosuch


def onStart():
    Domoticz.Log("was called")


def onStop():
    Domoticz.Log("was called")
