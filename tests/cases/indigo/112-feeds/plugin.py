class Plugin(indigo.PluginBase):
    def actionControlDevice(self, action, dev):
        dev.updateStateOnServer("onOffState", action.deviceAction == indigo.kDeviceAction.TurnOn)
