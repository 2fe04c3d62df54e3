class Plugin(indigo.PluginBase):
    def __init__(self, pluginId, pluginDisplayName, pluginVersion, pluginPrefs):
        indigo.PluginBase.__init__(self, pluginId, pluginDisplayName, pluginVersion, pluginPrefs)
        indigo.server.log("init " + pluginVersion)

    def startup(self):
        indigo.server.log("startup")

    def deviceStartComm(self, dev):
        indigo.server.log("start comm " + dev.name)

    def deviceStopComm(self, dev):
        indigo.server.log("stop comm " + dev.name)

    def runConcurrentThread(self):
        indigo.server.log("thread runs")
        try:
            while True:
                self.sleep(60)
        except self.StopThread:
            indigo.server.log("thread ends")

    def shutdown(self):
        indigo.server.log("shutdown")
