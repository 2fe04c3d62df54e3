import Domoticz


def onStart():
    Domoticz.Heartbeat(1)


def onHeartbeat():
    pass
