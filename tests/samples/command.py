"""The command to a device, by its class, and the expected effect."""

# One of another class gets its own action or a status request.
COMMANDS = {
    "indigo.RelayDevice": ("device.turnOn", {}),
    "indigo.DimmerDevice": ("dimmer.setBrightness", {"value": 50}),
    "indigo.ThermostatDevice": ("thermostat.setHeatSetpoint", {"value": 20.5}),
    "indigo.SpeedControlDevice": ("speedcontrol.setSpeedIndex", {"value": 1}),
    "indigo.SprinklerDevice": ("sprinkler.setActiveZone", {"index": 1}),
    "indigo.SensorDevice": ("device.statusRequest", {}),
}

# Of an example that obeys: commands, each with an attribute and its value afterwards.
OUTCOMES = {
    "indigo.RelayDevice": [
        ("device.turnOn", {}, "onState", True),
        ("device.turnOff", {}, "onState", False),
        ("device.toggle", {}, "onState", True),
    ],
    "indigo.DimmerDevice": [
        ("dimmer.setBrightness", {"value": 50}, "brightness", 50),
        ("dimmer.brighten", {"by": 25}, "brightness", 75),
        ("dimmer.dim", {"by": 15}, "brightness", 60),
        ("device.turnOff", {}, "brightness", 0),
        ("device.turnOn", {}, "brightness", 100),
    ],
    "indigo.ThermostatDevice": [
        ("thermostat.setHeatSetpoint", {"value": 60.5}, "heatSetpoint", 60.5),
        ("thermostat.increaseHeatSetpoint", {"delta": 2}, "heatSetpoint", 62.5),
        ("thermostat.setCoolSetpoint", {"value": 76}, "coolSetpoint", 76),
        ("thermostat.setHvacMode", {"value": "Heat"}, "hvacMode", "Heat"),
        ("thermostat.setFanMode", {"value": "AlwaysOn"}, "fanMode", "AlwaysOn"),
    ],
    "indigo.SpeedControlDevice": [
        ("speedcontrol.setSpeedIndex", {"value": 2}, "speedIndex", 2),
        ("speedcontrol.increaseSpeedIndex", {"by": 1}, "speedIndex", 3),
        ("speedcontrol.decreaseSpeedIndex", {"by": 2}, "speedIndex", 1),
        ("device.turnOff", {}, "onState", False),
    ],
    "indigo.SprinklerDevice": [
        ("sprinkler.setActiveZone", {"index": 2}, "activeZone", 2),
        ("sprinkler.stop", {}, "activeZone", None),
    ],
}
LOCK = [("device.lock", {}, "onState", True), ("device.unlock", {}, "onState", False)]


def is_lock(device):
    return bool((device.get("pluginProps") or {}).get("IsLockSubType"))


def usual(device):
    """The command for a device, None for one that gets its own action, and whether a user could give it."""
    name, parameters = COMMANDS.get(device["class"], ("device.statusRequest", {}))
    if is_lock(device):
        name = "device.lock"
    props = device.get("pluginProps") or {}
    possible = name != "device.statusRequest" or props.get("SupportsStatusRequest") not in (
        False,
        "false",
    )
    return name, parameters, possible


def outcomes(device):
    """Commands with their effects."""
    return LOCK if is_lock(device) else OUTCOMES.get(device["class"], [])
