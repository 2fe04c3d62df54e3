class Plugin(indigo.PluginBase):
    found = ["hall"]

    def rooms(self, filter="", valuesDict=None, typeId="", targetId=0):
        return [(name, f"{filter}: {name}") for name in self.found] + [(None, "nothing")]

    def search(self, valuesDict, typeId, devId):
        self.found = ["kitchen", "attic"]
        assert indigo.devices[devId].deviceTypeId == typeId
        valuesDict["room"] = "attic"
        return valuesDict

    def getDeviceConfigUiValues(self, pluginProps, typeId, devId):
        errors = indigo.Dict()
        # A new device is there already, and not configured.
        if indigo.devices[devId].configured:
            errors["address"] = "seen before"
        return (pluginProps, errors)

    def validateDeviceConfigUi(self, valuesDict, typeId, devId):
        if valuesDict["address"] == "bad":
            errors = indigo.Dict({"address": "is bad", "showAlertText": "look at the address"})
            return (False, valuesDict, errors)
        assert not indigo.devices[devId].configured or valuesDict["version"] == "7"
        valuesDict["version"] = "7"
        return (True, valuesDict)

    def closedDeviceConfigUi(self, valuesDict, userCancelled, typeId, devId):
        self.logger.info(f"closed {typeId} {userCancelled} {devId > 0}")

    def deviceStartComm(self, dev):
        self.logger.info(f"start {dev.name} {dev.address} {dev.pluginProps['room']}")

    def validatePrefsConfigUi(self, valuesDict):
        return True

    def closedPrefsConfigUi(self, valuesDict, userCancelled):
        self.logger.info(f"prefs {userCancelled} {self.pluginPrefs['level']}")

    def triggerStartProcessing(self, trigger):
        self.logger.info(f"watch {trigger.name} {trigger.pluginTypeId} {trigger.pluginProps['times']}")

    def beep(self, action, dev):
        return f"{dev.name} {action.props['times']}"

    def now(self):
        self.logger.info("menu now")

    def ask(self, valuesDict, menuId):
        self.logger.info(f"menu {menuId} {valuesDict['word']}")
        if not valuesDict["word"]:
            return (False, valuesDict, indigo.Dict({"word": "say one"}))
        return (True, valuesDict)

    def make_one(self, valuesDict, devIdList):
        indigo.device.create(
            indigo.kProtocol.Plugin, name="made", deviceTypeId="lamp", props={"room": "none"}
        )
        return valuesDict

    def getDeviceFactoryUiValues(self, devIdList):
        return (indigo.Dict(), indigo.Dict())

    def closedDeviceFactoryUi(self, valuesDict, userCancelled, devIdList):
        self.logger.info(f"factory {userCancelled}")
