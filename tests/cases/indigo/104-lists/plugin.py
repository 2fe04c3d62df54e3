class Plugin(indigo.PluginBase):
    asked = 0

    def made(self, filter="", valuesDict=None, typeId="", targetId=0):
        return [("value", f"{filter} {typeId} {targetId} {valuesDict['fixed']}")]

    def fresh(self, filter, valuesDict, typeId, targetId):
        self.asked += 1
        return [(str(self.asked), f"asked {self.asked}")]

    @staticmethod
    def forms(filter="", valuesDict=None, typeId="", targetId=0):
        return [["list", "a list"], ("tuple", "a tuple"), (7, "an int"), (None, "left out")]

    def failing(self, filter="", valuesDict=None, typeId="", targetId=0):
        raise ValueError("no list today")

    def again(self, valuesDict, typeId, devId):
        return valuesDict

    def nothing(self, action):
        pass
