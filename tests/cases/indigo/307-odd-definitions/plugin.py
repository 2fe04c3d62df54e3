class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log("types %s" % list(self.devicesTypeDict))
        indigo.server.log("actions %s" % list(self.actionsTypeDict))
