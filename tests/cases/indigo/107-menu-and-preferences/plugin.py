class Plugin(indigo.PluginBase):
    def startup(self):
        self.logger.info(f"prefs at start {self.pluginPrefs.get('host', '')}")

    def now(self):
        self.logger.info("now")

    def ask(self, valuesDict, menuId):
        self.logger.info(f"ask {menuId} {valuesDict['word']}")
        if valuesDict["word"] == "bad":
            return (False, valuesDict, indigo.Dict({"word": "another one"}))
        return (True, valuesDict)

    def beep(self, action):
        pass

    def getMenuActionConfigUiValues(self, menuId):
        if menuId == "ask":
            return indigo.Dict({"word": "prepared"})
        return (indigo.Dict(), indigo.Dict())

    def getPrefsConfigUiValues(self):
        values = indigo.Dict(self.pluginPrefs)
        values["shown"] = "yes"
        return (values, indigo.Dict())

    def test(self, valuesDict):
        valuesDict["host"] = "tested " + valuesDict["level"]
        return valuesDict

    def validatePrefsConfigUi(self, valuesDict):
        if not valuesDict["host"]:
            return (False, valuesDict, indigo.Dict({"host": "needed"}))
        self.pluginPrefs["counted"] = 1
        return (True, valuesDict)

    def closedPrefsConfigUi(self, valuesDict, userCancelled):
        self.logger.info(f"closed prefs {userCancelled} {self.pluginPrefs.get('host')} "
                         f"{self.pluginPrefs.get('counted')}")
