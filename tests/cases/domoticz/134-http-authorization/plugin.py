"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
        <param field="Username" label="Username"/>
        <param field="Password" label="Password"/>
    </params>
</plugin>
"""
import Domoticz


def connection(protocol, transport="TCP/IP"):
    return Domoticz.Connection(Name="C", Transport=transport, Protocol=protocol,
                               Address=Parameters["Address"], Port=Parameters["Port"])


REQUESTS = [
    {"Verb": "GET", "URL": "/x"},
    {"Verb": "GET", "URL": "/y", "Headers": {"Authorization": "own"}},
]


def onStart():
    global conn
    conn = connection("HTTP")
    conn.Connect()


def onConnect(Connection, Status, Description):
    for request in REQUESTS:
        Connection.Send(request)
    Domoticz.Log("sent")
