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

from collections import OrderedDict


def onStart():
    global conn
    conn = connection("HTTP")
    conn.Connect()


def onConnect(Connection, Status, Description):
    Connection.Send("GET / HTTP/1.1")
    Connection.Send(OrderedDict(Verb="GET"))
    Connection.Send({"URL": "/"})
    Connection.Send({"Verb": "GET", "URL": "/x"})
