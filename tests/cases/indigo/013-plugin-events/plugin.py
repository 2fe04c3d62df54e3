class Plugin(indigo.PluginBase):
    def __init__(self, *args):
        super().__init__(*args)
        self.watched = {}

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def triggerStartProcessing(self, trigger):
        self.watched[trigger.id] = trigger
        indigo.server.log("watch %s %s %s" % (trigger.name, trigger.pluginTypeId, trigger.pluginProps["door"]))

    def triggerStopProcessing(self, trigger):
        del self.watched[trigger.id]
        indigo.server.log("leave " + trigger.name)

    def ring(self, action):
        for trigger in self.watched.values():
            data = {"door": trigger.pluginProps["door"], "why": action.props.get("why", "")}
            if action.props.get("ignore"):
                indigo.trigger.execute(trigger, ignoreConditions=True, trigger_data=data)
            else:
                indigo.trigger.execute(trigger, trigger_data=data)

    def pass_on(self, action, dev, waiting, event_data=None):
        indigo.server.log("passed %s %s from %s" % (event_data["door"], event_data["why"], event_data["source"]))

    def tell(self, action, dev, waiting, event_data=None):
        indigo.server.log("told %s of %s by %s from %s" % (event_data["door"], event_data["event-plugin-event-id"],
            event_data["event-plugin-name"], event_data["source"]))
