"""Devices: the copies that plugins get, and through which they tell the server of states.

Owns the classes of devices with their attributes, and which attribute follows which
state in a copy whose states were just written.
"""

from indigo import _call, _enumerations as k, _plugin
from indigo._element import BaseElem, Field, WithProps, choice, date, dictionary, element, sequence

_ABSENT = _call.ABSENT

# The keys of a description of a state; others are passed over, as slips of a plugin.
_STATE_KEYS = frozenset(
    ("key", "value", "uiValue", "decimalPlaces", "triggerEvents", "clearErrorState")
)

# Attributes that mirror a state, by class.
_DEVICE_MIRRORS = {
    "batteryLevel": "batteryLevel",
    "curEnergyLevel": "energyCurLevel",
    "accumEnergyTotal": "energyAccumTotal",
}
_RELAY_MIRRORS = dict(_DEVICE_MIRRORS, onOffState="onState")


def _sub_type(value):
    """Text of a sub type; the manual writes it with its enumeration in front."""
    for prefix in (
        "indigo.",
        "kDeviceSubType.",
        "kRelayDeviceSubType.",
        "kDimmerDeviceSubType.",
        "kSensorDeviceSubType.",
    ):
        if value.startswith(prefix):
            value = value[len(prefix) :]
    return value


def _image(value):
    if value is not None and not isinstance(k.kStateImageSel._of(value), k.kStateImageSel):
        raise TypeError("a member of indigo.kStateImageSel is needed, not %r" % (value,))
    return k.kStateImageSel._of(value)


@element(
    "devices",
    "device",
    "name description remoteDisplay model subModel subType configured address version",
    ("id", 0),
    ("name", ""),
    ("description", ""),
    ("address", ""),
    ("version", ""),
    ("model", ""),
    ("subModel", ""),
    ("deviceTypeId", ""),
    ("pluginId", ""),
    ("enabled", True),
    ("configured", False),
    ("folderId", 0),
    ("remoteDisplay", True),
    ("errorState", ""),
    ("batteryLevel", None),
    ("buttonGroupCount", 0),
    ("displayStateId", ""),
    ("displayStateValRaw", None),
    ("displayStateValUi", ""),
    ("supportsOnState", False),
    ("supportsStatusRequest", False),
    ("supportsAllOff", False),
    ("supportsEnergyMeter", False),
    ("supportsPowerMeter", False),
    ("supportsAllLightsOnOff", False),
    ("energyCurLevel", None),
    ("energyAccumTotal", None),
    ("energyAccumTimeDelta", None),
    protocol=choice(k.kProtocol),
    displayStateImageSel=choice(k.kStateImageSel),
    subType=lambda name: Field(name, "", lambda value: _sub_type(value or ""), str),
    lastChanged=date,
    lastSuccessfulComm=date,
    energyAccumBaseTime=date,
    states=dictionary,
    pluginProps=dictionary,
    ownerProps=dictionary,
    globalProps=dictionary,
    sharedProps=dictionary,
)
class Device(WithProps, BaseElem):
    """A device of any kind; a plugin's own kind ``custom`` is just this."""

    _mirrors = _DEVICE_MIRRORS

    def updateStateOnServer(
        self,
        key,
        value=_ABSENT,
        uiValue=None,
        decimalPlaces=None,
        triggerEvents=True,
        clearErrorState=True,
    ):
        """Writes one state."""
        if value is _ABSENT:
            raise _call._errors.ArgumentError("updateStateOnServer needs a key and a value")
        state = {"key": key, "value": value}
        if uiValue is not None:
            state["uiValue"] = uiValue
        if decimalPlaces is not None:
            state["decimalPlaces"] = decimalPlaces
        if triggerEvents is not True:
            state["triggerEvents"] = bool(triggerEvents)
        if clearErrorState is not True:
            state["clearErrorState"] = bool(clearErrorState)
        self._update((state,))

    def updateStatesOnServer(self, keyValueList):
        """Writes several states at once: dictionaries of the arguments of one."""
        self._update(
            [
                {key: value for key, value in dict(state).items() if key in _STATE_KEYS}
                for state in keyValueList
            ]
        )

    def _update(self, states):
        for state in states:
            if "key" not in state or "value" not in state:
                raise _call._errors.ArgumentError("every state needs a key and a value")
            if type(state["key"]) is not str:
                state["key"] = str(state["key"])
            if state["value"] is not None and hasattr(state["value"], "isoformat"):
                state["value"] = str(state["value"])
            if state.get("uiValue", "") is None:
                del state["uiValue"]
        self._command("updateStatesOnServer", states=list(states))
        for state in states:
            self._written(state)

    def _written(self, state):
        """Brings this copy up to date with the states that were just written."""
        data = self.__dict__
        held = data.get("states")
        key, value = state["key"], state["value"]
        if not held or key not in held:
            return
        places = state.get("decimalPlaces")
        if places is not None and isinstance(value, float):
            value = round(value, int(places))
        value = getattr(value, "name", value)
        held[key] = value
        ui = state.get("uiValue")
        held[key + ".ui"] = str(value) if ui is None else str(ui)
        name = self._mirrors.get(key)
        if name is not None:
            data[name] = value
        if state.get("clearErrorState", True):
            data["errorState"] = ""
        if key == "brightnessLevel" and "onOffState" in held and "brightness" in data:
            held["onOffState"] = data["onState"] = bool(value)

    def updateStateImageOnServer(self, stateImageSel=None, **kwargs):
        """Chooses the icon beside the state."""
        image = _image(stateImageSel if stateImageSel is not None else kwargs.get("imageSel"))
        if image is None:
            image = k.kStateImageSel.Auto
        self._command("updateStateImageOnServer", value=image)
        self.__dict__["displayStateImageSel"] = image.name

    def setErrorStateOnServer(self, message):
        """Shows a text in red in place of the state; ``None`` ends that."""
        text = "" if message is None else str(message)
        self._command("setErrorStateOnServer", message=text)
        self.__dict__["errorState"] = text

    def stateListOrDisplayStateIdChanged(self):
        """Makes the server ask for the list of states and the one to show, anew."""
        arguments = _plugin.state_definitions(self)
        self._command("stateListOrDisplayStateIdChanged", **arguments)

    def updateTimeStampOnServer(self):
        """Notes that the device was heard of just now."""
        self._command("updateTimeStampOnServer")


@element(
    "devices",
    "device",
    "",
    ("onState", None),
    ("buttonConfiguredCount", 0),
    ledStates=sequence,
)
class RelayDevice(Device):
    """Devices that can be on and off; locks too."""

    _mirrors = _RELAY_MIRRORS


@element(
    "devices",
    "device",
    "",
    ("brightness", 0),
    ("defaultBrightness", 100),
    ("onBrightensToDefaultToggle", False),
    ("onBrightensToLast", False),
    ("supportsColor", False),
    ("supportsRGB", False),
    ("supportsWhite", False),
    ("supportsTwoWhiteLevels", False),
    ("supportsWhiteTemperature", False),
    ("supportsRGBandWhiteSimultaneously", False),
    ("supportsTwoWhiteLevelsSimultaneously", False),
    ("redLevel", None),
    ("greenLevel", None),
    ("blueLevel", None),
    ("whiteLevel", None),
    ("whiteLevel2", None),
    ("whiteTemperature", None),
)
class DimmerDevice(RelayDevice):
    """A relay with a brightness and perhaps a colour."""

    _mirrors = dict(
        _RELAY_MIRRORS,
        brightnessLevel="brightness",
        redLevel="redLevel",
        greenLevel="greenLevel",
        blueLevel="blueLevel",
        whiteLevel="whiteLevel",
        whiteLevel2="whiteLevel2",
        whiteTemperature="whiteTemperature",
    )


@element(
    "devices",
    "device",
    "",
    ("onState", None),
    ("sensorValue", None),
    ("allowOnStateChange", False),
    ("allowSensorValueChange", False),
    ("supportsSensorValue", False),
)
class SensorDevice(Device):
    """Devices that are tripped, or measure."""

    _mirrors = dict(_RELAY_MIRRORS, sensorValue="sensorValue")


@element(
    "devices",
    "device",
    "",
    ("onState", None),
    ("speedIndex", 0),
    ("speedIndexCount", 4),
    ("speedLevel", 0),
)
class SpeedControlDevice(Device):
    """A fan or the like."""

    _mirrors = dict(_RELAY_MIRRORS, speedIndex="speedIndex", speedLevel="speedLevel")


def _put(device, state, lists):
    """Puts a numbered state into its list: ``temperatureInput2`` is the second."""
    for prefix, name in lists:
        place = state["key"][len(prefix) :]
        held = device.__dict__.get(name)
        if (
            state["key"].startswith(prefix)
            and place.isdigit()
            and held
            and 0 < int(place) <= len(held)
        ):
            held[int(place) - 1] = state["value"]


# States whose values are members of enumerations.
_MODES = (("hvacOperationMode", k.kHvacMode), ("hvacFanMode", k.kFanMode))


def _thermostat_states(name):
    plain = dictionary(name)

    def read(value):
        states = plain._read(value)
        for key, enumeration in _MODES:
            if key in states:
                # This goes past the Dict, which would make a bare number of the member.
                dict.__setitem__(states, key, enumeration._of(states[key]))
        return states

    return Field(name, {}, read)


@element(
    "devices",
    "device",
    "",
    ("coolSetpoint", None),
    ("heatSetpoint", None),
    ("temperatureSensorCount", 0),
    ("humiditySensorCount", 0),
    ("coolIsOn", False),
    ("heatIsOn", False),
    ("fanIsOn", False),
    ("dehumidifierIsOn", False),
    ("humidifierIsOn", False),
    ("supportsHvacFanMode", False),
    ("supportsHvacOperationMode", False),
    ("supportsCoolSetpoint", False),
    ("supportsHeatSetpoint", False),
    hvacMode=choice(k.kHvacMode),
    fanMode=choice(k.kFanMode),
    temperatures=sequence,
    humidities=sequence,
    states=_thermostat_states,
)
class ThermostatDevice(Device):
    """Devices that heat and cool."""

    _mirrors = dict(
        _DEVICE_MIRRORS,
        hvacOperationMode="hvacMode",
        hvacFanMode="fanMode",
        setpointCool="coolSetpoint",
        setpointHeat="heatSetpoint",
        hvacCoolerIsOn="coolIsOn",
        hvacHeaterIsOn="heatIsOn",
        hvacFanIsOn="fanIsOn",
        hvacDehumidifierIsOn="dehumidifierIsOn",
        hvacHumidifierIsOn="humidifierIsOn",
    )

    def _update(self, states):
        for state in states:
            for key, enumeration in _MODES:
                # Plugins write the number where they stored one.
                if state.get("key") == key:
                    state["value"] = enumeration._of(state.get("value"))
        Device._update(self, states)

    def _written(self, state):
        Device._written(self, state)
        _put(self, state, (("temperatureInput", "temperatures"), ("humidityInput", "humidities")))


@element(
    "devices",
    "device",
    "",
    ("activeZone", None),
    ("zoneCount", 0),
    ("pausedScheduleZone", None),
    ("pausedScheduleRemainingZoneDuration", None),
    zoneNames=sequence,
    zoneEnableList=sequence,
    zoneMaxDurations=sequence,
    zoneScheduledDurations=sequence,
)
class SprinklerDevice(Device):
    """Zones of which at most one is open."""

    def _written(self, state):
        Device._written(self, state)
        if state["key"] == "activeZone":
            self.__dict__["activeZone"] = state["value"] or None


@element(
    "devices",
    "device",
    "",
    ("analogInputCount", 0),
    ("binaryInputCount", 0),
    ("sensorInputCount", 0),
    ("binaryOutputCount", 0),
    analogInputs=sequence,
    binaryInputs=sequence,
    sensorInputs=sequence,
    binaryOutputs=sequence,
)
class MultiIODevice(Device):
    """Inputs and outputs by number."""

    def _written(self, state):
        Device._written(self, state)
        _put(
            self,
            state,
            tuple(
                (kind, kind + "s")
                for kind in ("analogInput", "binaryInput", "sensorInput", "binaryOutput")
            ),
        )
