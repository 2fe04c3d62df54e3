class Plugin(indigo.PluginBase):
    def startup(self):
        for name, kind, props in (("lamp", "relay", {}), ("spot", "dimmer", {}), ("door", "sensor", {}), ("fan", "fan", {}), ("heater", "thermostat", {}),
                                  ("garden", "sprinkler", {"NumZones": 3}), ("lawn", "sprinkler", {"OverrideScheduleActions": True}), ("box", "box", {})):
            indigo.device.create(indigo.kProtocol.Plugin, name=name, deviceTypeId=kind, props=props)

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def tell(self, dev, *words):
        indigo.server.log(" ".join([dev.name] + [str(word) for word in words]))

    def actionControlDevice(self, action, dev):
        self.tell(dev, action.deviceAction, action.actionValue)

    def actionControlUniversal(self, action, dev):
        self.tell(dev, action.deviceAction)

    def actionControlSensor(self, action, dev):
        self.tell(dev, action.sensorAction)

    def actionControlSpeedControl(self, action, dev):
        self.tell(dev, action.speedControlAction, action.actionValue)

    def actionControlThermostat(self, action, dev):
        self.tell(dev, action.thermostatAction, action.actionMode)

    def actionControlSprinkler(self, action, dev):
        self.tell(dev, action.sprinklerAction, action.zoneIndex)

    def actionControlIO(self, action, dev):
        self.tell(dev, action.action, action.index)
