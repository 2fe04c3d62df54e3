class Plugin(indigo.PluginBase):
    def getDeviceConfigUiValues(self, pluginProps, typeId, devId):
        self.logger.info(f"open device {sorted(pluginProps)} {typeId} {indigo.devices[devId].configured}")
        values = indigo.Dict(pluginProps)
        values["host"] = values.get("host", "192.0.2.1")
        errors = indigo.Dict({"host": "please check"})
        return (values, errors)

    def getDeviceConfigUiXml(self, typeId, devId):
        if typeId == "made":
            return ('<ConfigUI><Field id="fresh" type="checkbox" defaultValue="true"/>'
                    "</ConfigUI>")
        return None

    def validateDeviceConfigUi(self, valuesDict, typeId, devId):
        self.logger.info(f"validate {valuesDict.get('host', '')} {typeId} {devId > 0}")
        wish = valuesDict.get("host", "")
        if wish == "alert":
            errors = indigo.Dict()
            errors["host"] = "is wrong"
            errors["showAlertText"] = "look at the host"
            return (False, valuesDict, errors)
        if wish == "error class":
            error = indigo.utils.ValidationError("no", error_dict={"host": "by class"})
            return (False, valuesDict, indigo.Dict(dict(error)))
        if wish == "false":
            return False
        if wish == "false with values":
            valuesDict["host"] = "changed"
            return (False, valuesDict)
        if wish == "raise":
            raise KeyError("in validation")
        if wish == "true":
            return True
        if wish == "three":
            return (True, valuesDict, indigo.Dict())
        valuesDict["version"] = "7"
        return (True, valuesDict)

    def closedDeviceConfigUi(self, valuesDict, userCancelled, typeId, devId):
        self.logger.info(f"closed device {userCancelled} {typeId} {devId > 0}")

    def tell(self, valuesDict, typeId, devId):
        valuesDict["host"] = f"{typeId} {indigo.devices[devId].name}"
        return (valuesDict, indigo.Dict({"host": "told"}))

    def nothing(self, valuesDict):
        return None

    def raise_it(self, valuesDict, typeId, devId):
        raise OSError("no bridge")

    def deviceStartComm(self, dev):
        self.logger.info(f"start {dev.name} {dev.pluginProps.get('host')} {dev.version}")

    def getActionConfigUiValues(self, pluginProps, typeId, devId):
        values = indigo.Dict(pluginProps)
        values["seen"] = f"{typeId} {devId > 0}"
        return values

    def validateActionConfigUi(self, valuesDict, typeId, deviceId):
        if valuesDict["times"] == "many":
            return (False, valuesDict, indigo.Dict({"times": f"a number, {typeId} {deviceId > 0}"}))
        return True

    def closedActionConfigUi(self, valuesDict, userCancelled, typeId, actionId):
        self.logger.info(f"closed action {userCancelled} {typeId} {valuesDict['times']}")

    def beep(self, action, dev, callerWaitingForResult):
        return f"{dev.name} {action.props['times']} {action.props['seen']}"

    def quiet(self, action):
        pass

    def getEventConfigUiValues(self, pluginProps, typeId, eventId):
        return (indigo.Dict({"times": "5"}), indigo.Dict())

    def validateEventConfigUi(self, valuesDict, typeId, eventId):
        if valuesDict["times"] == "0":
            return (False, valuesDict, indigo.Dict({"times": "at least one"}))
        return (True, valuesDict)

    def closedEventConfigUi(self, valuesDict, userCancelled, typeId, eventId):
        self.logger.info(f"closed event {userCancelled} {typeId} {eventId > 0}")

    def triggerStartProcessing(self, trigger):
        self.logger.info(f"watch {trigger.name} {trigger.pluginTypeId} {trigger.pluginProps['times']}")

    def getDeviceFactoryUiValues(self, devIdList):
        return (indigo.Dict({"note": f"{len(devIdList)} there"}), indigo.Dict())

    def found(self, filter, valuesDict, devIdList):
        return [("a", f"lamp beside {len(devIdList)}")]

    def make(self, valuesDict, devIdList):
        indigo.device.create(indigo.kProtocol.Plugin, name="made", deviceTypeId="lamp")
        valuesDict["note"] = "made"
        return valuesDict

    def validateDeviceFactoryUi(self, valuesDict, devIdList):
        if not valuesDict["found"]:
            return (False, valuesDict, indigo.Dict({"found": "choose one"}))
        return (True, valuesDict)

    def closedDeviceFactoryUi(self, valuesDict, userCancelled, devIdList):
        self.logger.info(f"closed factory {userCancelled} {len(devIdList)}")
