class Plugin(indigo.PluginBase):
    def tell(self, action, dev, waiting, event_data=None):
        assert event_data["event-indigo-id"] == indigo.triggers["told"].id
        indigo.server.log("told %s %s -> %s %s %s" % (
            indigo.variables.getName(event_data["var-id"]), event_data["old-val"], event_data["new-val"], event_data["event-type"],
            event_data["source"]))
