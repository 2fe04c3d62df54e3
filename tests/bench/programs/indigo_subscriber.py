"""Counts the changes that it hears of, and logs how many they were after the last of a round."""


class Plugin(indigo.PluginBase):
    def startup(self):
        self.heard = {"device": 0, "variable": 0}
        indigo.devices.subscribeToChanges()
        indigo.variables.subscribeToChanges()

    def deviceUpdated(self, origDev, newDev):
        self.count("device", newDev.states["power"] == -1)

    def variableUpdated(self, origVar, newVar):
        # The server has variables of its own.
        if newVar.name == "meter":
            self.count("variable", newVar.value == "-1")

    def count(self, kind, last):
        self.heard[kind] += 1
        if last:
            indigo.server.log("HEARD %s %d" % (kind, self.heard[kind]))
            self.heard[kind] = 0
