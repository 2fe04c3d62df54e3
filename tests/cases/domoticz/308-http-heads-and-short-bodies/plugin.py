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
    global conn
    conn = Domoticz.Connection(Name="C", Transport="TCP/IP", Protocol="HTTP",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()


def onConnect(Connection, Status, Description):
    Connection.Send({"Verb": "GET"})
    Connection.Send({"Verb": "GET"})


def onMessage(Connection, Data):
    Domoticz.Log("answer %s %r %r" % (Data["Status"], sorted(Data["Headers"].items()), Data.get("Data")))


def onDisconnect(Connection):
    Domoticz.Log("disconnect")
