class Plugin(indigo.PluginBase):
    def __init__(self, pluginId, pluginDisplayName, pluginVersion, pluginPrefs):
        indigo.PluginBase.__init__(self, pluginId, pluginDisplayName, pluginVersion, pluginPrefs)
        indigo.server.log("keys %s" % sorted(pluginPrefs))
        indigo.server.log("rooms %s hidden %s" % (list(pluginPrefs["rooms"]), self.pluginPrefs["hidden"]))
        indigo.server.log("level %s %s %s" % (
            self.pluginPrefs["level"], self.pluginPrefs["verbose"], "new" in self.pluginPrefs))
        self.pluginPrefs["level"] = "10"
        self.pluginPrefs["verbose"] = False
        self.pluginPrefs["rooms"] = []
        self.pluginPrefs["new"] = "x"
