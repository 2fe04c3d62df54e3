class Plugin(indigo.PluginBase):
    count = 0

    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="lamp", deviceTypeId="relay", props={"speed": "5"})

    def deviceStartComm(self, dev):
        self.count += 1
        indigo.server.log("start %s %s %s" % (dev.name, dev.address, dev.deviceTypeId))

    def deviceStopComm(self, dev):
        self.count += 1
        indigo.server.log("stop %s %s" % (dev.name, dev.deviceTypeId))

    def shutdown(self):
        indigo.server.log("%d in all" % self.count)
