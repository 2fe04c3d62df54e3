class Plugin(indigo.PluginBase):
    def startup(self):
        return "no gateway found"

    def shutdown(self):
        indigo.server.log("shutdown called")
