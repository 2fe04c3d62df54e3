"""Descriptions of a device's states, as ``getDeviceStateList`` returns them.

Owns the form of such a description, which plugins take as it is. The methods are part
of the base class of plugins.
"""


def _described(kind, key, trigger_label="", page_label="", disabled=False, options=None):
    state = {
        "Key": str(key),
        "Type": kind,
        "Disabled": bool(disabled),
        "TriggerLabel": str(trigger_label),
        "StateLabel": str(page_label),
    }
    if options is not None:
        state["Options"] = [_option(option) for option in options]
    return state


def _option(option):
    """An option given as a dictionary, a pair or a text."""
    if isinstance(option, dict):
        value = option.get("Value", option.get("value", ""))
        return {"Value": str(value), "Label": str(option.get("Label", option.get("label", value)))}
    if isinstance(option, (list, tuple)):
        return {"Value": str(option[0]), "Label": str(option[-1])}
    return {"Value": str(option), "Label": str(option)}


class StateDescriptions:
    """The part of the base class that describes states."""

    @staticmethod
    def getDeviceStateDictForStringType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("String", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForNumberType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("Number", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForIntegerType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("Integer", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForRealType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("Real", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForEnumType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False, options=()
    ):
        return _described("Enumeration", stateId, triggerLabel, controlPageLabel, disabled, options)

    @staticmethod
    def getDeviceStateDictForBoolOnOffType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("BoolOnOff", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForBoolYesNoType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("BoolYesNo", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForBoolOneZeroType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("BoolOneZero", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForBoolTrueFalseType(
        stateId, triggerLabel="", controlPageLabel="", disabled=False
    ):
        return _described("BoolTrueFalse", stateId, triggerLabel, controlPageLabel, disabled)

    @staticmethod
    def getDeviceStateDictForSeparator(stateId="", *args):
        return _described("Separator", stateId)

    getDeviceStateDictForSeperator = getDeviceStateDictForSeparator
