"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


NAMES = ["Off"] + ["Station %d" % number for number in range(1, 41)]


def onStart():
    Options = {
        "LevelNames": "|".join(NAMES),
        "LevelActions": "|" * (len(NAMES) - 1),
        "LevelOffHidden": "true",
        "SelectorStyle": "1",
    }
    Domoticz.Device("Radio", 1, TypeName="Selector Switch", Options=Options, Used=1).Create()
    Devices[1].Update(2, "110")
    radio = Devices[1]
    Domoticz.Log("start %d %s last %d" % (radio.nValue, radio.sValue, radio.LastLevel))


def onCommand(Unit, Command, Level, Color):
    Devices[1].Update(2 if Level else 0, str(Level))
    radio = Devices[1]
    Domoticz.Log("%s %d now %s last %d" % (Command, Level, radio.sValue, radio.LastLevel))
