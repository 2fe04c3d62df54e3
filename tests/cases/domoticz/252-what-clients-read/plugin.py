"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


DEVICES = [
    ("P1", dict(Type=250, Subtype=1), 0, "123456;234567;1000;2000;321;0"),
    (
        "Eggs",
        dict(Type=113, Subtype=0, Switchtype=3, Options={"ValueQuantity": "Custom", "ValueUnits": "eggs"}),
        0,
        "42",
    ),
    ("Baro", dict(Type=247, Subtype=1), 0, "20.1;1013.2;2;0"),
    ("Rain", dict(TypeName="Rain"), 0, "120;15.5"),
    ("Air", dict(TypeName="Air Quality"), 850, ""),
    ("Solar", dict(TypeName="kWh", Switchtype=4, Options={"EnergyMeterMode": "1"}), 0, "230;12345"),
    ("Room", dict(TypeName="Temp+Hum"), 0, "21.5;55;1"),
]


def onStart():
    for unit, (name, words, number, text) in enumerate(DEVICES, 1):
        Domoticz.Device(name, unit, Used=1, **words).Create()
        Devices[unit].Update(number, text)
    Domoticz.Log("ready")


def onDeviceModified(Unit):
    if Devices[Unit].sValue.startswith("20.0"):
        Domoticz.Log("room %s" % Devices[Unit].sValue)
