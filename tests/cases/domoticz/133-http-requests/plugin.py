"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


clients = []


def onStart():
    global server
    server = Domoticz.Connection(Name="S", Transport="TCP/IP", Protocol="HTTP", Port=Parameters["Port"])
    server.Listen()


def onConnect(Connection, Status, Description):
    clients.append(Connection)


def onMessage(Connection, Data):
    Domoticz.Log("request %r" % Data)
    if Data["Verb"] == "GET":
        Connection.Send({"Status": "200 OK", "Data": "hi"})
    else:
        Connection.Send({"Status": "200 OK", "Chunk": True, "Data": "abc"})
        Connection.Send({"Chunk": True, "Data": "abc"})
        Connection.Send({"Chunk": True})
