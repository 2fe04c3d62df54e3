import Domoticz


def onStart():
    pass


def onHeartbeat():
    pass
