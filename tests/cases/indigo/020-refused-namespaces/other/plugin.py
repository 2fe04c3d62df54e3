class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="theirs", deviceTypeId="relay")
