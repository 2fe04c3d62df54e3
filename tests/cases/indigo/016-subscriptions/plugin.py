class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.variables.subscribeToChanges()
        indigo.devices.subscribeToChanges()
        indigo.actionGroups.subscribeToChanges()

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def variableCreated(self, var):
        indigo.server.log("variable created %s %s" % (var.name, var.value))

    def variable_updated(self, origVar, newVar):
        indigo.server.log("variable %s %s -> %s" % (newVar.name, origVar.value, newVar.value))

    def variableDeleted(self, var):
        indigo.server.log("variable deleted %s %s" % (var.name, var.value))

    def deviceCreated(self, dev):
        indigo.server.log("device created %s %s" % (dev.name, dev.pluginId))

    def deviceUpdated(self, origDev, newDev):
        shown = lambda dev: "on" if dev.onState else "off"
        indigo.server.log("device %s %s -> %s" % (newDev.name, shown(origDev), shown(newDev)))

    def deviceDeleted(self, dev):
        indigo.server.log("device deleted " + dev.name)

    def actionGroupCreated(self, group):
        indigo.server.log("group created " + group.name)
