"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz


def connection(protocol, transport="TCP/IP"):
    return Domoticz.Connection(Name="C", Transport=transport, Protocol=protocol,
                               Address=Parameters["Address"], Port=Parameters["Port"])


def onStart():
    global conn
    conn = connection("Line", "TLS/IP")
    conn.Connect()


def onConnect(Connection, Status, Description):
    Domoticz.Log("connected: %s" % (Status == 0))


def onDisconnect(Connection):
    Domoticz.Log("disconnect")
