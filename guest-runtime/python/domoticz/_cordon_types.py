"""The table of type names (behaviour spec section 3).

Owns the numbers that a ``TypeName`` stands for and their use in a constructor. It
decides nothing about a device that is stored.
"""

import _cordon_arguments as arguments

# Main types by the name that Domoticz gives them, for reading the table.
_GENERAL = 243
_SWITCH = 244
_COLOR = 241

# The main type of an unknown name, which changes nothing else.
FALLBACK_TYPE = _GENERAL

# The sub type whose options are one raw text under the key "Custom" (spec 4.3).
CUSTOM_SUBTYPE = 31

_SELECTOR = {
    "LevelActions": "|||",
    "LevelNames": "Off|Level1|Level2|Level3",
    "LevelOffHidden": "false",
    "SelectorStyle": "0",
}

# A kWh counter without its first value is none that can be read.
_KWH = (_GENERAL, 29)
_KWH_VALUE = "0;0.0"

# Name: main type, sub type, switch type (None: unchanged), first sValue,
# default options.
TYPES = {
    "Pressure": (_GENERAL, 9, None, "", None),
    "Percentage": (_GENERAL, 6, None, "", None),
    "Fan": (_GENERAL, 7, None, "", None),
    "Gas": (251, 2, None, "", None),
    "Voltage": (_GENERAL, 8, None, "", None),
    "Text": (_GENERAL, 19, None, "", None),
    "Switch": (_SWITCH, 73, None, "", None),
    "Alert": (_GENERAL, 22, None, "No Alert!", None),
    "Current/Ampere": (89, 1, None, "0.0;0.0;0.0", None),
    "Sound Level": (_GENERAL, 24, None, "", None),
    "Barometer": (_GENERAL, 26, None, "1021.34;0", None),
    "Visibility": (_GENERAL, 1, None, "", None),
    "Distance": (_GENERAL, 27, None, "", None),
    "Counter Incremental": (_GENERAL, 28, None, "", None),
    "Soil Moisture": (_GENERAL, 3, None, "", None),
    "Leaf Wetness": (_GENERAL, 4, None, "", None),
    "kWh": (*_KWH, None, _KWH_VALUE, None),
    "Current (Single)": (_GENERAL, 23, None, "", None),
    "Solar Radiation": (_GENERAL, 2, None, "", None),
    "Temperature": (80, 5, None, "", None),
    "Humidity": (81, 1, None, "", None),
    "Temp+Hum": (82, 1, None, "0.0;50;1", None),
    "Temp+Hum+Baro": (84, 1, None, "0.0;50;1;1010;1", None),
    "Wind": (86, 1, None, "0;N;0;0;0;0", None),
    "Rain": (85, 3, None, "0;0", None),
    "UV": (87, 1, None, "0;0", None),
    "Air Quality": (249, 1, None, "", None),
    "Usage": (248, 1, None, "", None),
    "Illumination": (246, 1, None, "", None),
    "Waterflow": (_GENERAL, 30, None, "", None),
    "Wind+Temp+Chill": (86, 4, None, "0;N;0;0;0;0", None),
    "Selector Switch": (_SWITCH, 62, 18, "", _SELECTOR),
    "On/Off": (_SWITCH, 73, 0, "", None),
    "Push On": (_SWITCH, 73, 9, "", None),
    "Push Off": (_SWITCH, 73, 10, "", None),
    "Contact": (_SWITCH, 73, 2, "", None),
    "Dimmer": (_SWITCH, 73, 7, "", None),
    "Motion": (_SWITCH, 73, 8, "", None),
    "Custom": (_GENERAL, CUSTOM_SUBTYPE, None, "", {"Custom": "1"}),
    "Security Panel": (32, 131, None, "", None),
    "Set Point": (242, 1, None, "", None),
    "Setpoint": (242, 1, None, "", None),
    "Thermostat": (242, 1, None, "", None),
    "Blinds": (_SWITCH, 73, 3, "", None),
    "BlindsPercentage": (_SWITCH, 73, 13, "", None),
    "VenetianBlindsUS": (_SWITCH, 73, 14, "", None),
    "VenetianBlindsEU": (_SWITCH, 73, 15, "", None),
    "BlindsPercentageWithStop": (_SWITCH, 73, 21, "", None),
    "BlindsWithStop": (_SWITCH, 73, 22, "", None),
    "WW": (_COLOR, 1, 7, "", None),
    "RGB": (_COLOR, 2, 7, "", None),
    "White": (_COLOR, 3, 7, "", None),
    "RGB_CW_WW": (_COLOR, 4, 7, "", None),
    "LivCol": (_COLOR, 5, 7, "", None),
    "RGB_W_Z": (_COLOR, 6, 7, "", None),
    "RGB_CW_WW_Z": (_COLOR, 7, 7, "", None),
    "CW_WW": (_COLOR, 8, 7, "", None),
}

# The types by their names in lower case (rule 190).
_BY_NAME = {name.lower(): entry for name, entry in TYPES.items()}


def resolve(name, sub_type, switch_type):
    """The type that `name` gives a device with these numbers.

    Returns main type, sub type, switch type, first sValue and a fresh dictionary
    of default options (empty for most types). The name may be in any case; an
    unknown one is not reported anywhere (rules 24 and 190).
    """
    entry = _BY_NAME.get(name.lower())
    if entry is None:
        return FALLBACK_TYPE, sub_type, switch_type, "", {}
    main, sub, switch, value, options = entry
    return main, sub, switch_type if switch is None else switch, value, dict(options or ())


def apply(device, type_name, numbers, options):
    """Gives a device or unit the type that its constructor was told.

    ``numbers`` are main type, sub type, switch type, image and used, of which some
    values mean "not given" (rules 28 to 31).
    """
    main, sub, switch, image, used = numbers
    if type_name is not None:
        (
            device.__Type__,
            device.__SubType__,
            device.__SwitchType__,
            device.__sValue__,
            defaults,
        ) = resolve(type_name, 0, 0)
        if not isinstance(options, dict):
            device.__Options__ = defaults
    # 0 and -1 do not override; for the switch type 0 does.
    if main not in (0, -1):
        device.__Type__ = main
    if sub not in (0, -1):
        device.__SubType__ = sub
    if switch != -1:
        device.__SwitchType__ = switch
    if image != -1:
        device.__Image__ = image
    if not device.__sValue__ and (device.__Type__, device.__SubType__) == _KWH:
        # Rule 205.
        device.__sValue__ = _KWH_VALUE
    if isinstance(options, dict) and options:
        device.__Options__ = arguments.options(options)
    device.__Used__ = 1 if used == 1 else 0


def stored_options(options, sub_type):
    """The pairs that a device of this sub type keeps of its options (rule 43)."""
    if sub_type != CUSTOM_SUBTYPE:
        return list(options.items())
    return [("Custom", options["Custom"])] if "Custom" in options else []
