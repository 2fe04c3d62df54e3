class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name="meter", deviceTypeId="meter")

    def deviceStartComm(self, dev):
        dev.stateListOrDisplayStateIdChanged()
        dev.updateStateOnServer("volts", 230)
        dev.updateStatesOnServer([{"key": key, "value": value} for key, value in (
            ("on", False), ("yes", True), ("one", True), ("truth", True), ("choice", "b"))])
        indigo.server.log("set")
        states = indigo.devices["meter"].states
        indigo.server.log("disabled kept, no line" if "note" in states and "line" not in states else "wrong %s" % states)

    def getDeviceStateList(self, dev):
        states = list(indigo.PluginBase.getDeviceStateList(self, dev))
        for key, make in (("volts", self.getDeviceStateDictForNumberType), ("count", self.getDeviceStateDictForIntegerType),
                          ("real", self.getDeviceStateDictForRealType), ("on", self.getDeviceStateDictForBoolOnOffType),
                          ("yes", self.getDeviceStateDictForBoolYesNoType), ("one", self.getDeviceStateDictForBoolOneZeroType),
                          ("truth", self.getDeviceStateDictForBoolTrueFalseType)):
            states.append(make(key, key.title(), key.title()))
        states.append(self.getDeviceStateDictForStringType("note", "Note", "Note", disabled=True))
        states.append(self.getDeviceStateDictForSeparator("line"))
        states.append(self.getDeviceStateDictForEnumType("choice", "Choice", "Choice", options=[("a", "First"), ("b", "Second")]))
        return states

    def getDeviceDisplayStateId(self, dev):
        return "volts"
