class Plugin(indigo.PluginBase):
    fired = ()

    def startup(self):
        for name, kind in (("meter", "meter"), ("lamp", "relay")):
            indigo.device.create(protocol=indigo.kProtocol.Plugin, name=name, deviceTypeId=kind)

    def runConcurrentThread(self):
        indigo.server.log("ready")
        self.sleep(600)

    def set_power(self, action, dev):
        for value in action.props["values"].split(","):
            indigo.devices["meter"].updateStateOnServer(
                "power", int(value), uiValue=action.props.get("ui"), triggerEvents=not action.props.get("silent"))

    def switch(self, action):
        for value in (True, True, False):
            indigo.devices["lamp"].updateStateOnServer("onOffState", value)

    def tell(self, action, dev, waiting, event_data=None):
        trigger = indigo.triggers["guarded"]
        meter = indigo.devices["meter"]
        same = {"event-indigo-id": trigger.id, "event-type": "DeviceStateChangeTrigger", "source": "server",
                "device-id": meter.id, "state-key": "power"}
        for key, value in same.items():
            assert event_data[key] == value, (key, event_data[key])
        assert event_data["timestamp"][10] == "T" and "change-type-iom" in event_data
        indigo.server.log("%s %s from %s by %s" % (
            action.props["text"], event_data["new-value"], event_data["old-value"], event_data["change-type"]))

    def name(self, action, dev, waiting, event_data=None):
        name = indigo.triggers.getName(event_data["event-indigo-id"])
        self.fired += (name,)
        indigo.server.log("fired " + name)

    def report(self, action):
        indigo.server.log("once each " + " ".join(self.fired))
