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
    def show(label, *args, **kwargs):
        dev = Domoticz.Device("n", 1, *args, **kwargs)
        Domoticz.Log("%s %d %d %d %r" % (label, dev.Type, dev.SubType, dev.SwitchType, dev.Options))

    show("nonsense", "Nonsense")
    show("selector", "Selector Switch")
    show("empty", "Selector Switch", Options={})
    show("custom", "Custom")
    show("dimmer", "Dimmer", Type=17)
    show("switch", "Dimmer", Switchtype=0)
    show("zero", "Dimmer", Type=0)
    show("rain", "Rain")
    used = [Domoticz.Device("n", 1, Used=value).Used for value in (2, True)]
    Domoticz.Log("used %s" % used)
