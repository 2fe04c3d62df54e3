"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


# Name, Type, SubType, SwitchType, sValue.
KINDS = [
    ('Pressure', 243, 9, 0, ''),
    ('Percentage', 243, 6, 0, ''),
    ('Fan', 243, 7, 0, ''),
    ('Gas', 251, 2, 0, ''),
    ('Voltage', 243, 8, 0, ''),
    ('Text', 243, 19, 0, ''),
    ('Switch', 244, 73, 0, ''),
    ('Alert', 243, 22, 0, 'No Alert!'),
    ('Current/Ampere', 89, 1, 0, '0.0;0.0;0.0'),
    ('Sound Level', 243, 24, 0, ''),
    ('Barometer', 243, 26, 0, '1021.34;0'),
    ('Visibility', 243, 1, 0, ''),
    ('Distance', 243, 27, 0, ''),
    ('Counter Incremental', 243, 28, 0, ''),
    ('Soil Moisture', 243, 3, 0, ''),
    ('Leaf Wetness', 243, 4, 0, ''),
    ('kWh', 243, 29, 0, '0;0.0'),
    ('Current (Single)', 243, 23, 0, ''),
    ('Solar Radiation', 243, 2, 0, ''),
    ('Temperature', 80, 5, 0, ''),
    ('Humidity', 81, 1, 0, ''),
    ('Temp+Hum', 82, 1, 0, '0.0;50;1'),
    ('Temp+Hum+Baro', 84, 1, 0, '0.0;50;1;1010;1'),
    ('Wind', 86, 1, 0, '0;N;0;0;0;0'),
    ('Rain', 85, 3, 0, '0;0'),
    ('UV', 87, 1, 0, '0;0'),
    ('Air Quality', 249, 1, 0, ''),
    ('Usage', 248, 1, 0, ''),
    ('Illumination', 246, 1, 0, ''),
    ('Waterflow', 243, 30, 0, ''),
    ('Wind+Temp+Chill', 86, 4, 0, '0;N;0;0;0;0'),
    ('Selector Switch', 244, 62, 18, ''),
    ('On/Off', 244, 73, 0, ''),
    ('Push On', 244, 73, 9, ''),
    ('Push Off', 244, 73, 10, ''),
    ('Contact', 244, 73, 2, ''),
    ('Dimmer', 244, 73, 7, ''),
    ('Motion', 244, 73, 8, ''),
    ('Custom', 243, 31, 0, ''),
    ('Security Panel', 32, 131, 0, ''),
    ('Set Point', 242, 1, 0, ''),
    ('Setpoint', 242, 1, 0, ''),
    ('Thermostat', 242, 1, 0, ''),
    ('Blinds', 244, 73, 3, ''),
    ('BlindsPercentage', 244, 73, 13, ''),
    ('VenetianBlindsUS', 244, 73, 14, ''),
    ('VenetianBlindsEU', 244, 73, 15, ''),
    ('BlindsPercentageWithStop', 244, 73, 21, ''),
    ('BlindsWithStop', 244, 73, 22, ''),
    ('WW', 241, 1, 7, ''),
    ('RGB', 241, 2, 7, ''),
    ('White', 241, 3, 7, ''),
    ('RGB_CW_WW', 241, 4, 7, ''),
    ('LivCol', 241, 5, 7, ''),
    ('RGB_W_Z', 241, 6, 7, ''),
    ('RGB_CW_WW_Z', 241, 7, 7, ''),
    ('CW_WW', 241, 8, 7, ''),
]


def onStart():
    for name, *expected in KINDS:
        dev = Domoticz.Device("n", 1, name)
        found = [dev.Type, dev.SubType, dev.SwitchType, dev.sValue]
        if found != expected or dev.nValue != 0:
            Domoticz.Log("%s is not %s but %s" % (name, expected, found))
    Domoticz.Log("compared %d" % len(KINDS))
