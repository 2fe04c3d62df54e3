def member(enumeration, value):
    names = [name for name in dir(enumeration) if not name.startswith("_") and getattr(enumeration, name) == value]
    # Members have older, shorter names as well.
    return max(names, key=len)


class Plugin(indigo.PluginBase):
    def startup(self):
        make = lambda name, kind, props: indigo.device.create(
            protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind, props=props)
        make("heater", "thermostat", {"NumTemperatureInputs": "2", "SupportsHeatSetpoint": True, "SupportsHvacOperationMode": True})
        make("fan", "fan", {})
        make("door", "sensor", {"AllowOnStateChange": True})
        make("garden", "sprinkler", {"NumZones": 3, "ZoneNames": "Lawn, Beds"})

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def actionControlThermostat(self, action, dev):
        name = member(indigo.kThermostatAction, action.thermostatAction)
        if name == "SetHvacMode":
            mode = member(indigo.kHvacMode, action.actionMode)
            dev.updateStateOnServer("hvacOperationMode", action.actionMode)
            indigo.server.log("thermostat %s %s" % (name, mode))
        else:
            indigo.server.log("thermostat %s %g" % (name, action.actionValue))

    def actionControlSpeedControl(self, action, dev):
        indigo.server.log("fan %s %d" % (member(indigo.kSpeedControlAction, action.speedControlAction), action.actionValue))

    def actionControlSensor(self, action, dev):
        indigo.server.log("sensor " + member(indigo.kSensorAction, action.sensorAction))

    def actionControlSprinkler(self, action, dev):
        dev.updateStateOnServer("activeZone", action.zoneIndex or 0)
        indigo.server.log("sprinkler %s %s" % (member(indigo.kSprinklerAction, action.sprinklerAction), action.zoneIndex))
