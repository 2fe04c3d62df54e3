"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

def connection(protocol="Line"):
    return Domoticz.Connection(Name="C", Transport="TCP/IP", Protocol=protocol,
                               Address=Parameters["Address"], Port=Parameters["Port"])


def onStart():
    global conn
    conn = connection("JSON")
    conn.Connect()


def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %d %s %s" % (Status, Description, Connection is conn))


def onMessage(Connection, Data):
    Domoticz.Log("message %r %s" % (Data, "dict" if isinstance(Data, dict) else type(Data).__name__))


def onDisconnect(Connection):
    Domoticz.Log("disconnect %s" % Connection.Connected())
