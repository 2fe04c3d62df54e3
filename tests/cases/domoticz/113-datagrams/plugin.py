"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


def onStart():
    global server
    server = Domoticz.Connection(Name="S", Transport="UDP/IP", Protocol="None", Port=Parameters["Port"])
    server.Listen()
    Domoticz.Heartbeat(1)


def onHeartbeat():
    if server.Connected():
        Domoticz.Log("listening %s" % server.Connecting())


def onConnect(Connection, Status, Description):
    Domoticz.Log("onConnect was called")


def onMessage(Connection, Data):
    Domoticz.Log("message %r %s %s from %s:%s" % (Data, Connection is server, Connection.Name,
                                                  Connection.Address, Connection.Port))
    server.Send("from the listener")
    Connection.Send(b"r")
