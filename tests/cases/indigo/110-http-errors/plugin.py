class Plugin(indigo.PluginBase):
    def work(self, action):
        return self.deeper()

    def deeper(self):
        return 1 / 0

    def stop(self, action):
        indigo.server.stopPlugin("told to")
        return "stopping"
