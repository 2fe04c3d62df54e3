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
    conn = connection()
    conn.Connect()


def onConnect(Connection, Status, Description):
    Domoticz.Log("connected: %s" % (Status == 0))


def onDisconnect(Connection):
    Domoticz.Log("disconnect")
