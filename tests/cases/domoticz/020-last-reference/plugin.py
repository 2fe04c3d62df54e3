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
        global conn
        Domoticz.Log("connect %d" % Status)
        conn = None

    def onDisconnect(self, Connection):
        Domoticz.Log("disconnect of %s" % Connection.Name)


def onStart():
    global conn
    conn = connection()
    conn.Connect(Target=Target())
