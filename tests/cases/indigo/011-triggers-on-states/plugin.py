class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="meter", deviceTypeId="meter")

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def set_power(self, action, dev):
        for value in action.props["values"].split(","):
            indigo.devices["meter"].updateStateOnServer("power", int(value))

    def tell(self, action, dev, waiting, event_data=None):
        indigo.server.log("%s %s from %s by %s" % (
            action.props["text"], event_data["new-value"], event_data["old-value"], event_data["change-type"]))
