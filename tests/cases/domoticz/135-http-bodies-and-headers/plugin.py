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


REQUESTS = [
    {"Verb": "POST", "Data": b"abc"},
    {"Verb": "POST"},
    {"Verb": "POST", "Data": "h\u00e9"},
    {"Verb": "GET", "URL": "/x", "Headers": {"X": ["a", "b"], "Y": 5, "Z": b"c"}},
]


def onStart():
    global conn
    conn = connection("HTTP")
    conn.Connect()


def onConnect(Connection, Status, Description):
    for request in REQUESTS:
        Connection.Send(request)
    Domoticz.Log("sent")
