class Plugin(indigo.PluginBase):
    def startup(self):
        for name, kind in (("lamp", "relay"), ("spot", "dimmer"), ("door", "sensor"), ("fan", "fan"), ("heater", "thermostat"),
                           ("garden", "sprinkler"), ("meter", "meter"), ("box", "box")):
            indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind)

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def told(self, action, dev, key, enumeration, *values):
        member = getattr(action, key)
        assert isinstance(member, enumeration), member
        assert action.deviceId == dev.id, action.deviceId
        indigo.server.log(" ".join([dev.name, type(action).__name__, key, str(member)] + [str(value) for value in values]))

    def actionControlDevice(self, action, dev):
        self.told(action, dev, "deviceAction", indigo.kDeviceAction, "value", action.actionValue)

    def actionControlSensor(self, action, dev):
        # Plugins compare with a member of any of these.
        assert action.sensorAction == indigo.kDeviceAction.RequestStatus == indigo.kUniversalAction.RequestStatus
        self.told(action, dev, "sensorAction", indigo.kSensorAction)

    def actionControlSpeedControl(self, action, dev):
        self.told(action, dev, "speedControlAction", indigo.kSpeedControlAction, "value", action.actionValue)

    def actionControlThermostat(self, action, dev):
        assert action.actionMode is None, action.actionMode
        self.told(action, dev, "thermostatAction", indigo.kThermostatAction)

    def actionControlSprinkler(self, action, dev):
        assert (action.zoneIndex, list(action.zoneDurations), action.multiplierVarId) == (None, [], None)
        self.told(action, dev, "sprinklerAction", indigo.kSprinklerAction)

    def actionControlIO(self, action, dev):
        self.told(action, dev, "action", indigo.kIOAction)
