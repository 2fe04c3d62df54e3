COMMON = {"configured": True, "description": "", "delayAmount": 0, "replaceExisting": False, "textToSpeak": ""}


class Plugin(indigo.PluginBase):
    def startup(self):
        self.got = []
        props = {"relay": {"IsLockSubType": True}, "sensor": {"AllowOnStateChange": True}, "sprinkler": {"NumZones": 3, "OverrideScheduleActions": True},
                 "box": {"NumBinaryOutputs": 2}, "thermostat": {"SupportsHvacOperationMode": True}}
        for kind in ("relay", "dimmer", "sensor", "fan", "thermostat", "sprinkler", "box"):
            indigo.device.create(indigo.kProtocol.Plugin, name=kind, deviceTypeId=kind, props=props.get(kind, {}))

    def take(self, action, dev):
        self.got.append((action, dev))

    actionControlDevice = actionControlSensor = actionControlThermostat = actionControlSpeedControl = take
    actionControlSprinkler = actionControlIO = actionControlUniversal = take

    def check(self, command, name, cls, **fields):
        """Gives a command; the action object that comes of it has just these fields."""
        del self.got[:]
        result = command(name)
        for _ in range(1000):
            if self.got:
                break
            self.sleep(0.01)
        if not self.got:
            self.logger.error("FAIL %s: nothing came", fields)
            return
        action, dev = self.got[0]
        expected = dict(COMMON, deviceId=indigo.devices.getId(name), **fields)
        seen = {key: value for key, value in dict(action).items() if key != "class"}
        for key, value in dict(seen).items():
            if key not in expected and value in (None, 0, []):
                # A field that this action does not use.
                del seen[key]
        if type(action) is not cls or seen != expected or result is not None or len(self.got) != 1 or dev.name != name:
            self.logger.error("FAIL %s %r: %r instead of %r, result %r", type(action).__name__, dev.name, seen, expected, result)
        if "%s : %s" % (sorted(fields)[-1], getattr(action, sorted(fields)[-1])) not in str(action) and not isinstance(
                fields[sorted(fields)[-1]], (dict, list)):
            self.logger.error("FAIL printed %s", action)

    def runConcurrentThread(self):
        k = indigo
        for space in (k.device, k.relay):
            for name, member in (("turnOn", "TurnOn"), ("turnOff", "TurnOff"), ("toggle", "Toggle"), ("lock", "Lock"), ("unlock", "Unlock"),
                                 ("open", "Open"), ("close", "Close")):
                self.check(lambda dev: getattr(space, name)(dev, suppressLogging=True), "relay", k.DeviceAction,
                           deviceAction=getattr(k.kDeviceAction, member), actionValue=0)
        for name in ("turnOn", "turnOff", "toggle"):
            self.check(getattr(k.dimmer, name), "dimmer", k.DeviceAction,
                       deviceAction=getattr(k.kDeviceAction, "T" + name[1:]), actionValue=0)
        dim = lambda member, value, command: self.check(command, "dimmer", k.DeviceAction, deviceAction=member, actionValue=value)
        dim(k.kDeviceAction.SetBrightness, 75, lambda dev: k.dimmer.setBrightness(dev, value=75))
        dim(k.kDeviceAction.SetBrightness, 5, lambda dev: k.dimmer.setBrightness(dev, 5, delay=0.02))
        dim(k.kDeviceAction.BrightenBy, 50, lambda dev: k.dimmer.brighten(dev, by=50))
        dim(k.kDeviceAction.BrightenBy, 10, lambda dev: k.dimmer.brighten(dev))
        dim(k.kDeviceAction.DimBy, 20, lambda dev: k.dimmer.dim(dev, by=20))
        dim(k.kDeviceAction.SetColorLevels, {"redLevel": 10.5, "blueLevel": 0}, lambda dev: k.dimmer.setColorLevels(dev, redLevel=10.5, blueLevel=0))
        dim(k.kDeviceAction.SetColorLevels, {"redLevel": 1, "greenLevel": 2, "blueLevel": 3, "whiteLevel": 4, "whiteLevel2": 5},
            lambda dev: k.dimmer.setColorLevels(dev, 1, 2, 3, 4, 5, 3000))
        dim(k.kDeviceAction.SetColorLevels, {"whiteLevel": 4, "whiteTemperature": 2700},
            lambda dev: k.dimmer.setColorLevels(dev, whiteLevel=4, whiteTemperature=2700))
        sense = lambda member, command: self.check(command, "sensor", k.SensorAction, sensorAction=member)
        sense(k.kSensorAction.TurnOn, lambda dev: k.sensor.setOnState(dev, value=True))
        sense(k.kSensorAction.TurnOff, lambda dev: k.sensor.setOnState(dev, value=False))
        sense(k.kSensorAction.Toggle, k.sensor.toggle)
        speed = lambda member, value, command: self.check(command, "fan", k.SpeedControlAction, speedControlAction=member, actionValue=value)
        for name in ("turnOn", "turnOff", "toggle"):
            speed(getattr(k.kSpeedControlAction, "T" + name[1:]), 0, getattr(k.speedcontrol, name))
        speed(k.kSpeedControlAction.SetSpeedIndex, 2, lambda dev: k.speedcontrol.setSpeedIndex(dev, value=2))
        speed(k.kSpeedControlAction.SetSpeedLevel, 75, lambda dev: k.speedcontrol.setSpeedLevel(dev, value=75))
        speed(k.kSpeedControlAction.IncreaseSpeedIndex, 1, k.speedcontrol.increaseSpeedIndex)
        speed(k.kSpeedControlAction.DecreaseSpeedIndex, 2, lambda dev: k.speedcontrol.decreaseSpeedIndex(dev, by=2))
        heat = lambda member, command, **more: self.check(command, "thermostat", k.ThermostatAction, thermostatAction=member, **more)
        heat(k.kThermostatAction.SetHvacMode, lambda dev: k.thermostat.setHvacMode(dev, value=k.kHvacMode.HeatCool), actionMode=k.kHvacMode.HeatCool)
        heat(k.kThermostatAction.SetFanMode, lambda dev: k.thermostat.setFanMode(dev, value=k.kFanMode.AlwaysOn), actionMode=k.kFanMode.AlwaysOn)
        heat(k.kThermostatAction.SetCoolSetpoint, lambda dev: k.thermostat.setCoolSetpoint(dev, value=25), actionValue=25.0)
        heat(k.kThermostatAction.SetHeatSetpoint, lambda dev: k.thermostat.setHeatSetpoint(dev, value=20.5), actionValue=20.5)
        for name in ("increaseCoolSetpoint", "increaseHeatSetpoint", "decreaseCoolSetpoint", "decreaseHeatSetpoint"):
            member = getattr(k.kThermostatAction, name[0].upper() + name[1:])
            heat(member, getattr(k.thermostat, name), actionValue=1.0)
            heat(member, lambda dev: getattr(k.thermostat, name)(dev, delta=2.5), actionValue=2.5)
        water = lambda member, command, **more: self.check(command, "sprinkler", k.SprinklerAction, sprinklerAction=member, **more)
        water(k.kSprinklerAction.RunNewSchedule, lambda dev: k.sprinkler.run(dev, schedule=[10, 0, 2.5]), zoneDurations=[10.0, 0.0, 2.5])
        for name, member in (("pause", "PauseSchedule"), ("resume", "ResumeSchedule"), ("stop", "StopSchedule"), ("nextZone", "NextZone"),
                             ("previousZone", "PreviousZone")):
            water(getattr(k.kSprinklerAction, member), getattr(k.sprinkler, name))
        water(k.kSprinklerAction.ZoneOn, lambda dev: k.sprinkler.setActiveZone(dev, index=2), zoneIndex=2)
        water(k.kSprinklerAction.AllZonesOff, lambda dev: k.sprinkler.setActiveZone(dev, index=0))
        inout = lambda member, command, **more: self.check(command, "box", k.InputOutputAction, action=member, **more)
        inout(k.kIOAction.TurnOnOutput, lambda dev: k.iodevice.setBinaryOutput(dev, index=1, value=True), index=1)
        inout(k.kIOAction.TurnOffOutput, lambda dev: k.iodevice.setBinaryOutput(dev, index=0, value=False))
        for space, name in ((k.device, "relay"), (k.relay, "relay"), (k.dimmer, "dimmer"), (k.sensor, "sensor"), (k.speedcontrol, "fan"),
                            (k.thermostat, "thermostat"), (k.sprinkler, "sprinkler"), (k.iodevice, "box")):
            ask = lambda member, command: self.check(command, name, k.UniversalAction, deviceAction=member)
            ask(k.kUniversalAction.RequestStatus, lambda dev: space.statusRequest(dev, suppressLogging=True))
            ask(k.kUniversalAction.Beep, space.beep)
            ask(k.kUniversalAction.EnergyUpdate, space.energyUpdate)
            ask(k.kUniversalAction.EnergyReset, space.resetEnergyAccumTotal)
        self.delays()
        self.logger.info("all actions are done")
        self.sleep(600)

    def delays(self):
        """delay puts a command off, duration takes it back, removeDelayedActions forgets both."""
        wait = lambda count: [self.sleep(0.01) for _ in range(1000) if len(self.got) < count]
        members = lambda: [action.deviceAction for action, dev in self.got]
        on, off = indigo.kDeviceAction.TurnOn, indigo.kDeviceAction.TurnOff
        for command, expected in ((lambda: indigo.device.turnOn("relay", delay=0.05, duration=0.05), [on, off]),
                                  (lambda: indigo.device.turnOff("relay", duration=0.05), [off, on]),
                                  (lambda: indigo.device.toggle("relay", duration=0.05), [indigo.kDeviceAction.Toggle] * 2),
                                  (lambda: indigo.device.lock("relay", duration=0.05), [indigo.kDeviceAction.Lock, indigo.kDeviceAction.Unlock])):
            del self.got[:]
            command()
            wait(2)
            if members() != expected:
                self.logger.error("FAIL %s instead of %s", members(), expected)
        for forget in (lambda: indigo.device.removeDelayedActions("relay"), indigo.device.removeDelayedActions, indigo.server.removeAllDelayedActions):
            del self.got[:]
            indigo.device.turnOn("relay", delay=0.2)
            indigo.device.turnOff("relay", delay=0.2)
            forget()
            indigo.device.toggle("relay", delay=0.3)
            wait(1)
            if members() != [indigo.kDeviceAction.Toggle]:
                self.logger.error("FAIL %s were not forgotten", members())
