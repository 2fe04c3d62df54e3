import time


class Plugin(indigo.PluginBase):
    def startup(self):
        self.seen = []
        indigo.variables.subscribeToChanges()
        indigo.server.log("ready")

    def variableUpdated(self, before, after):
        if not self.seen:
            # Until all the changes were made.
            while indigo.variables[after.id].value != "600":
                time.sleep(0.05)
        self.seen.append(int(after.value))
        if after.value == "600":
            in_order = self.seen == sorted(self.seen)
            indigo.server.log("%d came, in order %s" % (len(self.seen), in_order))
