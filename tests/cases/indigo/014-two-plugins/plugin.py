class Plugin(indigo.PluginBase):
    def runConcurrentThread(self):
        other = indigo.server.getPlugin("org.example.other")
        indigo.server.log("installed %s %s %s" % (other.isEnabled(), other.pluginDisplayName, other.pluginVersion))
        indigo.server.log("facts %s %s %s" % (other.isInstalled(), other.isRunning(), other.pluginId == "org.example.other"))
        ids = [plugin.pluginId for plugin in indigo.server.getPluginList()]
        indigo.server.log("list %s" % (sorted(ids) == ["org.example.case", "org.example.other"]))
        nobody = indigo.server.getPlugin("org.example.nobody")
        indigo.server.log("absent %s %s %s" % (nobody.isEnabled(), nobody.isInstalled(), nobody.isRunning()))
        indigo.server.log("answer %s" % other.executeAction("double", props={"value": 21}, waitUntilDone=True))
        try:
            other.executeAction("fail", waitUntilDone=True)
        except Exception as error:
            indigo.server.log("raised %s" % str(error).partition("raised ")[2])
        try:
            other.executeAction("missing", waitUntilDone=True)
        except ValueError as error:
            indigo.server.log("no action: %s" % error)
        try:
            nobody.executeAction("double")
        except indigo.PluginNotFoundError as error:
            indigo.server.log("no plugin: %s" % error)
        indigo.server.log("not waited %s" % other.executeAction("keep", props={"value": 5}, waitUntilDone=False))
        indigo.server.log("later %s" % other.executeAction("kept", waitUntilDone=True))
        indigo.server.log("done")
        self.sleep(600)
