"""A meter on a connection: each line is a value of its device."""

import Domoticz


def onStart():
    global conn
    Domoticz.Device(Name="Meter", Unit=1, TypeName="Temperature", Used=1).Create()
    conn = Domoticz.Connection(Name="Meter", Transport="TCP/IP", Protocol="Line",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()


def onMessage(Connection, Data):
    Devices[1].Update(nValue=0, sValue=Data.decode())
    # Which value was stored last, so that the meter knows when all are.
    if Data.startswith(b"99."):
        Connection.Send("stored\r")
