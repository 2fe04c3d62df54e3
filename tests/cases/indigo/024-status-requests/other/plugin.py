class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="theirs", deviceTypeId="sensor")

    def action_control_general(self, action, dev):
        assert isinstance(action, indigo.UniversalAction)
        assert isinstance(action.deviceAction, indigo.kDeviceGeneralAction)
        indigo.server.log("older %s %s %s" % (type(action).__name__, action.deviceAction, dev.name))

    def actionControlSensor(self, action, dev):
        indigo.server.log("raised: never called")
