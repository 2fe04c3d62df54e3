class Plugin(indigo.PluginBase):
    def startup(self):
        try:
            indigo.device.create(protocol=indigo.kProtocol.ZWave, name="x", deviceTypeId="relay")
        except NotImplementedError:
            indigo.server.log("protocol NotImplementedError")
        try:
            indigo.devices["theirs"].updateStateOnServer("onOffState", True)
        except ValueError:
            indigo.server.log("owner ValueError")
        indigo.server.log("done")
