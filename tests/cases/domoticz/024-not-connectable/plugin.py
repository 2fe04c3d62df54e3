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
    global udp, empty
    udp = Domoticz.Connection(Name="U", Transport="UDP/IP", Address="127.0.0.1", Port="9")
    udp.Connect()
    empty = Domoticz.Connection(Name="E", Transport="TCP/IP", Address="127.0.0.1")
    empty.Connect()
    Domoticz.Heartbeat(1)


def onConnect(Connection, Status, Description):
    Domoticz.Log("a callback")


def onHeartbeat():
    Domoticz.Log("beat")
