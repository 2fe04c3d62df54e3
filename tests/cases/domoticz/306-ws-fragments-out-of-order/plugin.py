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
    conn = Domoticz.Connection(Name="C", Transport="TCP/IP", Protocol="WS",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()


def onConnect(Connection, Status, Description):
    Connection.Send({"URL": "/ws"})


def onMessage(Connection, Data):
    if Data.get("Status") == "101":
        Domoticz.Log("upgraded")
    else:
        Domoticz.Log("frame %r" % dict(sorted(Data.items())))
