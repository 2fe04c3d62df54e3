class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="lamp", deviceTypeId="relay", props={"speed": "5"})

    def deviceStartComm(self, dev):
        indigo.server.log("start %s %s" % (dev.name, dev.address))

    def deviceStopComm(self, dev):
        indigo.server.log("stop " + dev.name)
