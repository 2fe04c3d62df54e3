class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.variables.subscribeToChanges()
        indigo.devices.subscribeToChanges()
        indigo.actionGroups.subscribeToChanges()
        indigo.triggers.subscribeToChanges()
        indigo.schedules.subscribeToChanges()
        indigo.controlPages.subscribeToChanges()

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

    def actionGroupUpdated(self, origGroup, newGroup):
        indigo.server.log("group %s -> %s" % (origGroup.description, newGroup.description))

    def actionGroupDeleted(self, group):
        indigo.server.log("group deleted " + group.name)

    def triggerCreated(self, trigger):
        indigo.server.log("trigger created " + trigger.name)

    def triggerUpdated(self, origTrigger, newTrigger):
        indigo.server.log("trigger %s -> %s" % (origTrigger.enabled, newTrigger.enabled))

    def triggerDeleted(self, trigger):
        indigo.server.log("trigger deleted " + trigger.name)

    def scheduleCreated(self, schedule):
        indigo.server.log("schedule created " + schedule.name)

    def schedule_updated(self, origSchedule, newSchedule):
        # The next time of execution is a change as well.
        if origSchedule.sunDelta != newSchedule.sunDelta:
            indigo.server.log("schedule %d -> %d" % (origSchedule.sunDelta, newSchedule.sunDelta))

    def scheduleDeleted(self, schedule):
        indigo.server.log("schedule deleted " + schedule.name)

    def controlPageCreated(self, page):
        indigo.server.log("page created " + page.name)

    def controlPageUpdated(self, origPage, newPage):
        indigo.server.log("page %s -> %s" % (origPage.name, newPage.name))

    def controlPageDeleted(self, page):
        indigo.server.log("page deleted " + page.name)
