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
    conn = Domoticz.Connection(Name="C", Transport="TCP/IP", Protocol="HTTP",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()


def onConnect(Connection, Status, Description):
    headers = {"X": "y"}
    Connection.Send({"Verb": "GET", "URL": "/a", "Headers": headers})
    Domoticz.Log("headers %r" % headers)
    Connection.Send({"Verb": "GET", "URL": "/b", "Headers": {"Host": "mine"}})
    Connection.Send({"Verb": "GET", "URL": "/c", "Headers": {"host": "mine"}})
    Connection.Send({"Status": "200 OK"})
