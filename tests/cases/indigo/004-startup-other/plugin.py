class Plugin(indigo.PluginBase):
    def startup(self):
        return 17

    def shutdown(self):
        indigo.server.log("shutdown called")
