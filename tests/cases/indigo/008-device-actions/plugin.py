class Plugin(indigo.PluginBase):
    def startup(self):
        for name, kind in (("lamp", "relay"), ("spot", "dimmer")):
            indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind)

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def actionControlDevice(self, action, dev):
        names = {getattr(indigo.kDeviceAction, name): name for name in (
            "TurnOn", "TurnOff", "Toggle", "SetBrightness", "BrightenBy", "SetColorLevels")}
        name = names[action.deviceAction]
        if name == "TurnOn":
            dev.updateStateOnServer("onOffState", True)
        if name == "SetColorLevels":
            channels = " ".join("%s=%d" % item for item in sorted(dict(action.actionValue).items()))
            indigo.server.log("%s colours %s" % (dev.name, channels))
        else:
            indigo.server.log("%s %s %s" % (dev.name, name, action.actionValue))

    def actionControlUniversal(self, action, dev):
        for name in ("RequestStatus", "Beep"):
            if action.deviceAction == getattr(indigo.kUniversalAction, name):
                indigo.server.log("universal %s %s" % (name, dev.name))
