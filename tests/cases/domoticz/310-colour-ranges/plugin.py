"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import Domoticz

RANGES = '[{"from":0,"to":20,"color":"#3388cc"}]'


def onStart():
    if 1 in Devices:
        Domoticz.Log("found %r" % Devices[1].Color)
        return
    device = Domoticz.Device("counter", 1, "Counter Incremental")
    device.Create()
    Domoticz.Log("created %r" % device.Color)
    for number, color in enumerate(('[{"from":0,"to":20}]', '{"temp":[{"from":5,"to":1}],"hum":[]}',
                                    "[1,]", '{"m":9}', '{"m":3,"r":255}', "", RANGES)):
        device.Update(0, "7", Color=color)
        Domoticz.Log("%d %r" % (number, device.Color))
    Domoticz.Log("adjusted %r %r %s %s" % (device.Adjustment, device.Multiplier,
                                           type(device.Adjustment).__name__, type(device.Multiplier).__name__))
    try:
        device.Adjustment = 1.0
    except AttributeError as error:
        Domoticz.Log(str(error))
    Domoticz.Log("done")
