"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


kept = {}


def onStart():
    global server
    server = Domoticz.Connection(Name="S", Transport="TCP/IP", Protocol="Line", Port=Parameters["Port"])
    server.Listen()
    Domoticz.Heartbeat(1)


def onHeartbeat():
    Domoticz.Log("connecting %s, connected %s" % (server.Connecting(), server.Connected()))


def onConnect(Connection, Status, Description):
    kept[Connection.Name] = Connection
    named = Connection.Name == Connection.Address + ":" + Connection.Port
    Domoticz.Log("client %d %s %s %d" % (Status, named, Connection.Parent is server, Connection.Baud))


def onMessage(Connection, Data):
    Domoticz.Log("message %r" % Data)
    server.Disconnect()


def onDisconnect(Connection):
    Domoticz.Log("disconnect of the server: %s" % (Connection is server))
