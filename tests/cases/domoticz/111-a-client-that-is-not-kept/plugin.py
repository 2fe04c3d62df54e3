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
    global server
    server = Domoticz.Connection(Name="S", Transport="TCP/IP", Protocol="Line", Port=Parameters["Port"])
    server.Listen()


def onConnect(Connection, Status, Description):
    Domoticz.Log("client")


def onDisconnect(Connection):
    Domoticz.Log("gone")
