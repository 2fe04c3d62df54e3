import Domoticz


def onStart():
    pass


def onCommand(Unit, Command, Level, Color):
    pass
