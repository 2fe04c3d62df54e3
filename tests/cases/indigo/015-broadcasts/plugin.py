class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.subscribeToBroadcast("org.example.other", "one", "one")
        indigo.server.subscribeToBroadcast("org.example.other", "two", "two")

    def runConcurrentThread(self):
        indigo.server.log("listening")
        self.sleep(600)

    def one(self, arg):
        indigo.server.log("got one %r" % ({key: list(value) for key, value in dict(arg).items()},))

    def two(self):
        indigo.server.log("got two")
