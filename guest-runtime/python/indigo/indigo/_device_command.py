"""Namespaces of commands for devices: ``indigo.device``, ``indigo.dimmer``, ...

Owns the signatures of these commands. A command for a plugin's own device comes back to
that plugin as an action; states change only when the plugin says so.
"""

from indigo import _call
from indigo._command import EnabledCommands, optional_reference

# Keywords of the commands that operate a device; sent as far as they are given.
_TIMING = ("delay", "duration", "suppressLogging", "updateStatesOnly")


class DeviceCommands(EnabledCommands):
    """Commands for devices of every kind."""

    def __init__(self, name="device"):
        EnabledCommands.__init__(self, "device")
        self._own_name = name

    def _own(self, command, elem, **arguments):
        """Sends a command of this namespace itself."""
        arguments = {"id": _call.reference(elem), **arguments}
        return _call.instance(_call.command(self._own_name + "." + command, arguments))

    def __repr__(self):
        return "indigo." + self._own_name

    def create(
        self,
        protocol=None,
        name=None,
        description=None,
        address=None,
        pluginId=None,
        deviceTypeId=None,
        props=None,
        folder=None,
        groupWithDevice=None,
        configured=None,
    ):
        """Returns the new device."""
        return self._send(
            "create",
            protocol=protocol,
            name=name,
            description=description,
            address=None if address is None else str(address),
            pluginId=pluginId,
            deviceTypeId=deviceTypeId,
            props=None if props is None else _call.props(props),
            folder=optional_reference(folder),
            groupWithDevice=optional_reference(groupWithDevice),
            configured=configured,
        )

    def turnOn(self, elem, **timing):
        self._operate("turnOn", elem, timing)

    def turnOff(self, elem, **timing):
        self._operate("turnOff", elem, timing)

    def toggle(self, elem, **timing):
        self._operate("toggle", elem, timing)

    def lock(self, elem, **timing):
        self._operate("lock", elem, timing)

    def unlock(self, elem, **timing):
        self._operate("unlock", elem, timing)

    def open(self, elem, **timing):
        self._operate("open", elem, timing)

    def close(self, elem, **timing):
        self._operate("close", elem, timing)

    def _operate(self, command, elem, timing):
        _check_timing(command, timing)
        self._send(command, elem, **timing)

    def statusRequest(self, elem, suppressLogging=None):
        self._send("statusRequest", elem, suppressLogging=suppressLogging)

    def beep(self, elem, suppressLogging=None):
        self._send("beep", elem, suppressLogging=suppressLogging)

    def ping(self, elem, suppressLogging=None):
        """Returns a Dict with ``Success`` and ``TimeDelta``."""
        return self._send("ping", elem, suppressLogging=suppressLogging)

    def allOff(self, value=None, **timing):
        _check_timing("allOff", timing)
        self._send("allOff", value=value, **timing)

    def getGroupList(self, elem):
        """Ids of the devices that are grouped with this one, the root first."""
        return self._send("getGroupList", elem)

    def groupWithDevice(self, elem, otherDevice):
        self._send("groupWithDevice", elem, value=_call.reference(otherDevice))

    def ungroupDevice(self, elem):
        self._send("ungroupDevice", elem)

    def resetEnergyAccumTotal(self, elem):
        self._send("resetEnergyAccumTotal", elem)

    energyResetTotal = resetEnergyAccumTotal

    def energyUpdate(self, elem):
        self._send("energyUpdate", elem)

    def changeDeviceTypeId(self, elem, typeId):
        """Makes another of the plugin's types of a device; returns it."""
        return self._send("changeDeviceTypeId", elem, typeId=typeId)


def _check_timing(command, timing):
    for name in timing:
        if name not in _TIMING:
            raise TypeError("%s has no argument '%s'" % (command, name))


class RelayCommands(DeviceCommands):
    """``indigo.relay``."""

    def setLedState(self, elem, index=0, value=True, **timing):
        _check_timing("setLedState", timing)
        self._own("setLedState", elem, index=index, value=bool(value), **timing)


class DimmerCommands(RelayCommands):
    """``indigo.dimmer``."""

    def setBrightness(self, elem, value=None, **timing):
        _check_timing("setBrightness", timing)
        if value is None:
            raise _call._errors.ArgumentError("setBrightness needs a value from 0 to 100")
        self._own("setBrightness", elem, value=value, **timing)

    def brighten(self, elem, by=None, brightenBy=None, **timing):
        _check_timing("brighten", timing)
        self._own("brighten", elem, by=brightenBy if by is None else by, **timing)

    def dim(self, elem, by=None, dimBy=None, **timing):
        _check_timing("dim", timing)
        self._own("dim", elem, by=dimBy if by is None else by, **timing)

    def setColorLevels(
        self,
        elem,
        redLevel=None,
        greenLevel=None,
        blueLevel=None,
        whiteLevel=None,
        whiteLevel2=None,
        whiteTemperature=None,
        **timing,
    ):
        """Sets the channels that are given."""
        _check_timing("setColorLevels", timing)
        self._own(
            "setColorLevels",
            elem,
            redLevel=redLevel,
            greenLevel=greenLevel,
            blueLevel=blueLevel,
            whiteLevel=whiteLevel,
            whiteLevel2=whiteLevel2,
            whiteTemperature=whiteTemperature,
            **timing,
        )

    def allLightsOn(self, value=None):
        _call.command("dimmer.allLightsOn", {"value": value})

    def allLightsOff(self, value=None):
        _call.command("dimmer.allLightsOff", {"value": value})


class SensorCommands(DeviceCommands):
    """``indigo.sensor``."""

    def setOnState(self, elem, value=True, **timing):
        _check_timing("setOnState", timing)
        self._own("setOnState", elem, value=bool(value), **timing)


class SpeedControlCommands(DeviceCommands):
    """``indigo.speedcontrol``."""

    def setSpeedIndex(self, elem, value=0, **timing):
        _check_timing("setSpeedIndex", timing)
        self._own("setSpeedIndex", elem, value=value, **timing)

    def setSpeedLevel(self, elem, value=0, **timing):
        _check_timing("setSpeedLevel", timing)
        self._own("setSpeedLevel", elem, value=value, **timing)

    def increaseSpeedIndex(self, elem, by=None, delta=None, **timing):
        self._step("increaseSpeedIndex", elem, by, delta, timing)

    def decreaseSpeedIndex(self, elem, by=None, delta=None, **timing):
        self._step("decreaseSpeedIndex", elem, by, delta, timing)

    def _step(self, command, elem, by, delta, timing):
        _check_timing(command, timing)
        if by is None:
            by = 1 if delta is None else delta
        self._own(command, elem, by=by, **timing)


class ThermostatCommands(DeviceCommands):
    """``indigo.thermostat``."""

    def setHvacMode(self, elem, value=None, **timing):
        self._set("setHvacMode", elem, value, timing)

    def setFanMode(self, elem, value=None, **timing):
        self._set("setFanMode", elem, value, timing)

    def setCoolSetpoint(self, elem, value=None, **timing):
        self._set("setCoolSetpoint", elem, value, timing)

    def setHeatSetpoint(self, elem, value=None, **timing):
        self._set("setHeatSetpoint", elem, value, timing)

    def _set(self, command, elem, value, timing):
        _check_timing(command, timing)
        if value is None:
            raise _call._errors.ArgumentError(command + " needs a value")
        self._own(command, elem, value=value, **timing)

    def increaseCoolSetpoint(self, elem, delta=1, **timing):
        self._step("increaseCoolSetpoint", elem, delta, timing)

    def decreaseCoolSetpoint(self, elem, delta=1, **timing):
        self._step("decreaseCoolSetpoint", elem, delta, timing)

    def increaseHeatSetpoint(self, elem, delta=1, **timing):
        self._step("increaseHeatSetpoint", elem, delta, timing)

    def decreaseHeatSetpoint(self, elem, delta=1, **timing):
        self._step("decreaseHeatSetpoint", elem, delta, timing)

    def _step(self, command, elem, delta, timing):
        _check_timing(command, timing)
        self._own(command, elem, delta=delta, **timing)


class SprinklerCommands(DeviceCommands):
    """``indigo.sprinkler``."""

    def run(self, elem, schedule=None):
        """Waters zone by zone for these minutes."""
        self._own("run", elem, schedule=list(schedule or ()))

    def pause(self, elem):
        self._own("pause", elem)

    def resume(self, elem):
        self._own("resume", elem)

    def stop(self, elem):
        self._own("stop", elem)

    def nextZone(self, elem):
        self._own("nextZone", elem)

    def previousZone(self, elem):
        self._own("previousZone", elem)

    def setActiveZone(self, elem, index=1):
        """Opens one zone; they count from one."""
        self._own("setActiveZone", elem, index=index)


class MultiIOCommands(DeviceCommands):
    """``indigo.iodevice``."""

    def setBinaryOutput(self, elem, index=0, value=True, **timing):
        """Sets an output; they count from zero."""
        _check_timing("setBinaryOutput", timing)
        self._own("setBinaryOutput", elem, index=index, value=bool(value), **timing)


device = DeviceCommands()
relay = RelayCommands("relay")
dimmer = DimmerCommands("dimmer")
sensor = SensorCommands("sensor")
speedcontrol = SpeedControlCommands("speedcontrol")
thermostat = ThermostatCommands("thermostat")
sprinkler = SprinklerCommands("sprinkler")
iodevice = MultiIOCommands("iodevice")
