class Plugin(indigo.PluginBase):
    def startup(self):
        self.starts = self.stops = 0
        self.made = indigo.device.create(indigo.kProtocol.Plugin, name="d", deviceTypeId="relay").id
        indigo.server.log("ready")

    def deviceStartComm(self, dev):
        self.starts += 1
        props = dev.pluginProps
        # Half of all published plugins write such a property here.
        props["SupportsStatusRequest"] = False
        dev.replacePluginPropsOnServer(props)
        indigo.server.log("start %s" % props.get("mode"))

    def deviceStopComm(self, dev):
        self.stops += 1

    def twice(self, action):
        for mode in ("first", "second"):
            dev = indigo.devices[self.made]
            props = dev.pluginProps
            props["mode"] = mode
            dev.replacePluginPropsOnServer(props)

    def tell(self, action):
        mode = indigo.devices[self.made].pluginProps["mode"]
        indigo.server.log("mode %s, %d starts, %d stops" % (mode, self.starts, self.stops))
