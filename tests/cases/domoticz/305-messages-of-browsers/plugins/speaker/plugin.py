"""
<plugin key="Case" name="Case" version="1.0" author="tests">
</plugin>
"""
import Domoticz


def onStart():
    Domoticz.WebSocketSend("nobody listens")
    Domoticz.Log("ready")


def onWebSocketMessage(Data):
    Domoticz.Log("data %r" % Data)
    if Data.startswith("say"):
        Domoticz.Log("returns %r" % Domoticz.WebSocketSend({"echo": Data, "big": 1712345678901}))
        Domoticz.WebSocketSend(data='{"a":1}')
        Domoticz.WebSocketSend(5)
