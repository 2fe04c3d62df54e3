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
    Domoticz.Log("start %s" % sorted(Images))
    Domoticz.Image("icons.zip").Create()
    Domoticz.Log("made %s" % [str(Images[base]) for base in sorted(Images)])
    Domoticz.Image("foreign.zip").Create()
    Domoticz.Image("none.zip").Create()
    if "CaseBlue" in Images:
        blue = Images["CaseBlue"]
        Domoticz.Device(Name="d", Unit=1, TypeName="Switch", Image=Images["Case"].ID, Used=1).Create()
        blue.Delete()
    Domoticz.Log("left %s %s" % (sorted(Images), blue.ID))
