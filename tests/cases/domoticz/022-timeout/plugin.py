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

timeouts = 0


def onStart():
    global conn, refused
    refused = connection()
    refused.Connect(Timeout=100)
    conn = connection()
    conn.Connect(Timeout=200)


def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %s" % (Connection is conn))


def onTimeout(Connection):
    global timeouts
    timeouts += 1
    Domoticz.Log("timeout %d %s" % (timeouts, Connection.Connected()))


def onMessage(Connection, Data):
    Domoticz.Log("message %r" % Data)
