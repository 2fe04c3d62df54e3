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


def onStart():
    global conn
    conn = connection("WS")
    conn.Connect()


def onConnect(Connection, Status, Description):
    Connection.Send({"URL": "/ws", "Headers": {"Host": "h"}})


def onMessage(Connection, Data):
    if Data.get("Status") == "101":
        Connection.Send({"Payload": "hi", "Mask": 0x01020304})
        Connection.Send({"Payload": "a" * 126})
        Connection.Send({"Payload": b"b" * 65536})
        Connection.Send({"Payload": "h\u00e9"})
        Domoticz.Log("sent")
    else:
        Domoticz.Log("frame %r" % dict(sorted(Data.items())))
