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
    # A broadcast address of this machine: nobody answers.
    conn = Domoticz.Connection(Name="C", Transport="ICMP/IP", Protocol="ICMP", Address="127.255.255.255")
    conn.Listen()


def onMessage(Connection, Data):
    Domoticz.Log("message %r" % Data)


def onDisconnect(Connection):
    Domoticz.Log("disconnect")
