class Plugin(indigo.PluginBase):
    def make(self, action):
        dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name="theirs", deviceTypeId="relay")
        dev.updateStateOnServer("onOffState", True)

    def variableCreated(self, var):
        indigo.server.log("other hears")
