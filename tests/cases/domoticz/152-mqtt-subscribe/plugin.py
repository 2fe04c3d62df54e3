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


REQUESTS = [{"Verb": "SUBSCRIBE", "Topics": [{"Topic": "a/b", "QoS": 1}, {"Topic": "c"}]}]


def onStart():
    global conn
    conn = connection("MQTT")
    conn.Connect()


def onConnect(Connection, Status, Description):
    for request in REQUESTS:
        Connection.Send(request)
    Domoticz.Log("sent")
