class Plugin(indigo.PluginBase):
    def startup(self):
        for name, kind in (("lamp", "relay"), ("spot", "dimmer")):
            dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind)
            dev.setErrorStateOnServer("no answer")
        indigo.devices["lamp"].updateStateOnServer("onOffState", True)
        indigo.devices["spot"].updateStateImageOnServer(indigo.kStateImageSel.SensorTripped)
        indigo.devices["spot"].updateStateOnServer("brightnessLevel", 5, clearErrorState=False)
        indigo.server.log("one")
