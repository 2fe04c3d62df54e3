class Plugin(indigo.PluginBase):
    def startup(self):
        for name, kind in (("lamp", "relay"), ("fan", "fan")):
            indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind)

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def actionControlDimmerRelay(self, action, dev):
        for name in ("TurnOn", "TurnOff", "RequestStatus"):
            if action.deviceAction in (getattr(indigo.kDeviceAction, name), getattr(indigo.kUniversalAction, name, None)):
                indigo.server.log("older %s %s" % (name, dev.name))
                return
