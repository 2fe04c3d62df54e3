# Sensors that report by themselves, by HTTP requests to this plugin.
#
# Shows: a listening connection, keeping the clients it accepts, requests with a
# JSON body, answers with a status.
#
#   curl -d '{"open": true}' http://127.0.0.1:8090/door
#   curl -d '{"temperature": 21.5, "humidity": 48}' http://127.0.0.1:8090/room
#   curl http://127.0.0.1:8090/
"""
<plugin key="HttpListener" name="HTTP listener" author="Cordon" version="1.0.0">
    <description>
        <h2>HTTP listener</h2><br/>
        Takes reports of sensors over HTTP.
        <h3>Requests</h3>
        <ul>
            <li>POST /door with {"open": true}</li>
            <li>POST /room with {"temperature": 21.5, "humidity": 48}</li>
            <li>GET / answers with the state of both devices</li>
        </ul>
    </description>
    <params>
        <param field="Port" label="Port" width="60px" required="true" default="8090"/>
    </params>
</plugin>
"""

import json

import Domoticz

DOOR = 1
ROOM = 2


class BasePlugin:
    def __init__(self):
        self.listener = None
        self.clients = {}

    def onStart(self):
        if DOOR not in Devices:
            Domoticz.Device(Name="Door", Unit=DOOR, TypeName="Contact", Used=1).Create()
        if ROOM not in Devices:
            Domoticz.Device(Name="Room", Unit=ROOM, TypeName="Temp+Hum", Used=1).Create()
        self.listener = Domoticz.Connection(
            Name="Listener", Transport="TCP/IP", Protocol="HTTP", Port=Parameters["Port"]
        )
        self.listener.Listen()

    def onConnect(self, Connection, Status, Description):
        if Status == 0:
            # A client that nobody keeps is disconnected.
            self.clients[Connection.Name] = Connection
        else:
            Domoticz.Error("Listening failed: " + Description)

    def onDisconnect(self, Connection):
        self.clients.pop(Connection.Name, None)

    def onMessage(self, Connection, Data):
        if "Verb" not in Data:
            return
        path = Data["URL"].partition("?")[0]
        try:
            if Data["Verb"] == "GET" and path == "/":
                self.answer(Connection, "200 OK", self.states())
            elif Data["Verb"] == "POST" and path == "/door":
                self.door(bool(self.body(Data)["open"]))
                self.answer(Connection, "200 OK", self.states())
            elif Data["Verb"] == "POST" and path == "/room":
                report = self.body(Data)
                self.room(float(report["temperature"]), int(report["humidity"]))
                self.answer(Connection, "200 OK", self.states())
            else:
                self.answer(Connection, "404 Not Found", {"error": "no such resource"})
        except (KeyError, TypeError, ValueError) as error:
            self.answer(Connection, "400 Bad Request", {"error": repr(error)})

    def onStop(self):
        Domoticz.Log(str(len(self.clients)) + " clients were connected")

    def body(self, request):
        return json.loads(request.get("Data", b""))

    def door(self, isOpen):
        Devices[DOOR].Update(nValue=1 if isOpen else 0, sValue="Open" if isOpen else "Closed")
        Domoticz.Log("Door: " + Devices[DOOR].sValue)

    def room(self, temperature, humidity):
        Devices[ROOM].Update(nValue=0, sValue="%.1f;%d;0" % (temperature, humidity))
        Domoticz.Log("Room: " + Devices[ROOM].sValue)

    def states(self):
        return {"door": Devices[DOOR].sValue, "room": Devices[ROOM].sValue}

    def answer(self, Connection, status, content):
        Connection.Send(
            {
                "Status": status,
                "Headers": {"Content-Type": "application/json"},
                "Data": json.dumps(content),
            }
        )


_plugin = BasePlugin()


def onStart():
    _plugin.onStart()


def onConnect(Connection, Status, Description):
    _plugin.onConnect(Connection, Status, Description)


def onMessage(Connection, Data):
    _plugin.onMessage(Connection, Data)


def onDisconnect(Connection):
    _plugin.onDisconnect(Connection)


def onStop():
    _plugin.onStop()
