class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="meter", deviceTypeId="meter")

    def deviceStartComm(self, dev):
        dev.stateListOrDisplayStateIdChanged()
        dev.updateStateOnServer("volts", 230)
        indigo.server.log("set")

    def getDeviceStateList(self, dev):
        states = list(indigo.PluginBase.getDeviceStateList(self, dev))
        states.append(self.getDeviceStateDictForNumberType("volts", "Volts", "Volts"))
        return states

    def getDeviceDisplayStateId(self, dev):
        return "volts"
