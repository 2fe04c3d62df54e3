class Plugin(indigo.PluginBase):
    def startup(self):
        make = lambda name: indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=name)
        dev = make("updater")
        for values in ((0, 0, 0.1, "6"), ("abc", 0.5, "abc", "7")):
            dev.updateStatesOnServer([{"key": key, "value": value} for key, value in zip(("whole", "half", "real", "counted"), values)])
        states = indigo.devices["updater"].states
        indigo.server.log("read %s %s %s %s" % (states["whole"], states["half"], states["real"], states["counted"]))
        make("dimmer").updateStateOnServer("brightnessLevel", "abc")
        dev.updateStateOnServer("truth", "abc")
        indigo.server.log("done")

    def define(self, action):
        indigo.devices["updater"].updateStateOnServer("whole", "def")

    def tell(self, action, dev, waiting, event_data=None):
        indigo.server.log("became %s" % event_data["new-value"])
