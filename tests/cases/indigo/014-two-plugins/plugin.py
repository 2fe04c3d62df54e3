class Plugin(indigo.PluginBase):
    def runConcurrentThread(self):
        other = indigo.server.getPlugin("org.example.other")
        indigo.server.log("installed %s %s %s" % (other.isEnabled(), other.pluginDisplayName, other.pluginVersion))
        indigo.server.log("absent %s" % indigo.server.getPlugin("org.example.nobody").isEnabled())
        indigo.server.log("answer %s" % other.executeAction("double", props={"value": 21}, waitUntilDone=True))
        try:
            other.executeAction("fail", waitUntilDone=True)
        except Exception as error:
            indigo.server.log("raised %s" % str(error).partition("raised ")[2])
        try:
            other.executeAction("missing", waitUntilDone=True)
        except ValueError as error:
            indigo.server.log("no action: %s" % error)
        indigo.server.log("done")
        self.sleep(600)
