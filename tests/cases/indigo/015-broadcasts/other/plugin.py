class Plugin(indigo.PluginBase):
    def send(self, action):
        indigo.server.broadcastToSubscribers("three")
        indigo.server.broadcastToSubscribers("one", {"a": [1, 2]})
        indigo.server.broadcastToSubscribers("two")
