"""
<plugin key="Quoted" name="Quoted" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>"""
import Domoticz


def onStart():
    Domoticz.Log("started in quoted")
