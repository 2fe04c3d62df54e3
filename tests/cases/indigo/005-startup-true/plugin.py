class Plugin(indigo.PluginBase):
    def startup(self):
        return True

    def runConcurrentThread(self):
        indigo.server.log("thread")
        self.sleep(60)
