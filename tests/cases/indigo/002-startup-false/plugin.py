class Plugin(indigo.PluginBase):
    def startup(self):
        return False

    def shutdown(self):
        indigo.server.log("shutdown called")
