class Plugin(indigo.PluginBase):
    def validateActionConfigUi(self, valuesDict, typeId, deviceId):
        if not valuesDict.get("text"):
            return (False, valuesDict, indigo.Dict({"text": "what shall it say?"}))
        valuesDict["checked"] = "yes"
        return (True, valuesDict)

    def closedActionConfigUi(self, valuesDict, userCancelled, typeId, actionId):
        self.logger.info(f"closed {typeId} {userCancelled}")

    def say(self, action, dev, callerWaitingForResult):
        props = action.props
        self.logger.info(f"say {props['text']} {props['loud']} {props['checked']} on {dev.name} "
                         f"({action.description})")

    def plain(self, action):
        self.logger.info("plain")
