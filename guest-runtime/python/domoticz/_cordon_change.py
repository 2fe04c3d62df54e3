"""The requests to the hub by ``Create`` and ``Update`` of a device.

Owns the way from the arguments of a call to the contract's records `new-device`
and `change`. It reads the members of a device and changes none.
"""

import _cordon_arguments as arguments
import _cordon_types as types
from _cordon_arguments import ABSENT, any_case, number, text

# The levels that Create stores whatever the object says (rule 37).
CREATED_SIGNAL_LEVEL = 12
CREATED_BATTERY_LEVEL = 255


def new_row(device):
    """The contract's record `new-device`, in its order."""
    return (
        device.__Unit__,
        device.__DeviceID__,
        device.__Name__,
        True,
        device.__Type__,
        device.__SubType__,
        device.__SwitchType__,
        0,
        device.__sValue__,
        CREATED_SIGNAL_LEVEL,
        CREATED_BATTERY_LEVEL,
        device.__Image__,
        device.__Used__,
        device.__Description__,
        device.__Color__,
        types.stored_options(arguments.options(device.__Options__), device.__SubType__),
    )


@any_case
def change(
    device,
    nValue,
    sValue,
    Image=ABSENT,
    SignalLevel=ABSENT,
    BatteryLevel=ABSENT,
    Options=None,
    TimedOut=ABSENT,
    Name=ABSENT,
    TypeName=ABSENT,
    Type=ABSENT,
    Subtype=ABSENT,
    Switchtype=ABSENT,
    Used=ABSENT,
    Description=ABSENT,
    Color=ABSENT,
    SuppressTriggers=False,
):
    """The contract's record `change` for the arguments of Update, a key for each change."""
    asked = {}
    value = number(nValue), text(sValue, "sValue")
    signal = device.__SignalLevel__ if SignalLevel is ABSENT else number(SignalLevel)
    battery = device.__BatteryLevel__ if BatteryLevel is ABSENT else number(BatteryLevel)
    if not SuppressTriggers:
        asked["value"] = value + (signal, battery)
    # Values that differ from the object are written besides (spec 4.3 step 6).
    if signal != device.__SignalLevel__:
        asked["signal_level"] = signal
    if battery != device.__BatteryLevel__:
        asked["battery_level"] = battery
    if Image is not ABSENT and number(Image) != device.__Image__:
        asked["image"] = number(Image)
    if Used is not ABSENT and number(Used) != device.__Used__:
        asked["used"] = number(Used)
    if TimedOut is not ABSENT:
        asked["timed_out"] = number(TimedOut)
    if Name is not ABSENT:
        asked["name"] = text(Name, "Name")
    if Description is not ABSENT:
        asked["description"] = text(Description, "Description")
    if Color is not ABSENT:
        asked["color"] = text(Color, "Color")
    sub_type = device.__SubType__
    if not (TypeName is Type is Subtype is Switchtype is ABSENT):
        sub_type = _change_type(
            asked, device, TypeName, Type, Subtype, Switchtype, Options, (signal, battery)
        )
    if isinstance(Options, dict):
        asked["options"] = types.stored_options(arguments.options(Options), sub_type)
    return asked


def _change_type(asked, device, type_name, main, sub, switch, options, levels):
    """Adds the columns that a change of type writes; returns the sub type then in force."""
    main = device.__Type__ if main is ABSENT else number(main)
    sub = device.__SubType__ if sub is ABSENT else number(sub)
    switch = device.__SwitchType__ if switch is ABSENT else number(switch)
    if type_name is not ABSENT:
        name = text(type_name, "TypeName")
        main, sub, switch, value, defaults = types.resolve(name, sub, switch)
        # The first value of the type only goes with suppressed triggers (step 5).
        if "value" not in asked:
            asked["silent_value"] = (0, value) + levels
        # The original crashes here when there are no Options; the defaults are those
        # that its constructor takes.
        if defaults and not isinstance(options, dict):
            asked["options"] = types.stored_options(defaults, sub)
    if main != device.__Type__:
        asked["device_type"] = main
    if sub != device.__SubType__:
        asked["sub_type"] = sub
    if switch != device.__SwitchType__:
        asked["switch_type"] = switch
    return sub
