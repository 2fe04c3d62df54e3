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


class Target:
    def onConnect(self, Connection, Status, Description):
        Domoticz.Log("target: connect")

    def onDisconnect(self, Connection):
        Domoticz.Log("target: disconnect")


def onStart():
    global conn
    conn = connection()
    conn.Connect(Target=Target())


def onMessage(Connection, Data):
    Domoticz.Log("module: message")
