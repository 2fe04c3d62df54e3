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

connects = 0


def onStart():
    global conn
    conn = connection()
    conn.Connect()
    conn.Connect()


def onConnect(Connection, Status, Description):
    global connects
    connects += 1
    Domoticz.Log("connect %d" % Status)
    Connection.Connect()


def onMessage(Connection, Data):
    Domoticz.Log("%d connects" % connects)
