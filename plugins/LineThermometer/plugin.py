# A thermometer with a heater that speaks lines over TCP.
#
# Shows: a client connection with Protocol="Line", reconnecting from the
# heartbeat, a switch and a set point that send commands to the device.
"""
<plugin key="LineThermometer" name="Line thermometer" author="Cordon" version="1.0.0">
    <description>
        <h2>Line thermometer</h2><br/>
        Reads a thermometer that sends one line per reading, and switches its heater.
        <h3>Devices</h3>
        <ul>
            <li>Temperature: the last reading</li>
            <li>Heater: on or off</li>
            <li>Target: what the heater heats to, 5 to 30 degrees Celsius</li>
        </ul>
    </description>
    <params>
        <param field="Address" label="IP Address" width="200px" required="true" default="127.0.0.1"/>
        <param field="Port" label="Port" width="60px" required="true" default="4001"/>
        <param field="Mode6" label="Debug" width="75px">
            <options>
                <option label="True" value="Debug"/>
                <option label="False" value="Normal" default="true"/>
            </options>
        </param>
    </params>
</plugin>
"""

import Domoticz

TEMPERATURE = 1
HEATER = 2
TARGET = 3


class BasePlugin:
    def __init__(self):
        self.connection = None

    def onStart(self):
        if Parameters["Mode6"] == "Debug":
            Domoticz.Debugging(2)
        if TEMPERATURE not in Devices:
            Domoticz.Device(
                Name="Temperature", Unit=TEMPERATURE, TypeName="Temperature", Used=1
            ).Create()
        if HEATER not in Devices:
            Domoticz.Device(Name="Heater", Unit=HEATER, TypeName="Switch", Used=1).Create()
        if TARGET not in Devices:
            Domoticz.Device(Name="Target", Unit=TARGET, TypeName="Setpoint", Used=1).Create()
        self.connection = Domoticz.Connection(
            Name="Thermometer",
            Transport="TCP/IP",
            Protocol="Line",
            Address=Parameters["Address"],
            Port=Parameters["Port"],
        )
        Domoticz.Heartbeat(5)
        self.connect()

    def onConnect(self, Connection, Status, Description):
        if Status == 0:
            Domoticz.Status("Connected to " + Connection.Address + ":" + Connection.Port)
            self.timedOut(0)
        else:
            Domoticz.Error("Connecting failed (" + str(Status) + "): " + Description)

    def onMessage(self, Connection, Data):
        line = Data.decode("ascii", "replace").strip()
        Domoticz.Debug("Received: " + line)
        word, _, value = line.partition(" ")
        if word == "TEMP":
            self.update(TEMPERATURE, 0, value)
        elif word == "HEATER":
            self.update(HEATER, 1 if value == "ON" else 0, value.capitalize())
        elif word == "TARGET":
            self.update(TARGET, 0, value)
        elif word == "ERR":
            Domoticz.Error("The thermometer refused: " + value)

    def onCommand(self, Unit, Command, Level, Color):
        Domoticz.Log("Command for unit " + str(Unit) + ": " + Command + ", level " + str(Level))
        if not self.connection.Connected():
            Domoticz.Error("Not connected, the command is lost")
        elif Unit == HEATER and Command in ("On", "Off"):
            self.connection.Send("SET HEATER " + Command.upper() + "\r\n")
        elif Unit == TARGET and Command == "Set Level":
            self.connection.Send("SET TARGET %.1f\r\n" % Level)

    def onTimeout(self, Connection):
        Domoticz.Error("No reading for five seconds")
        self.timedOut(1)
        Connection.Disconnect()

    def onDisconnect(self, Connection):
        Domoticz.Log("Disconnected")
        self.timedOut(1)

    def onHeartbeat(self):
        self.connect()

    def connect(self):
        if not self.connection.Connected() and not self.connection.Connecting():
            self.connection.Connect(Timeout=5000)

    def update(self, unit, nValue, sValue):
        if unit in Devices and (Devices[unit].nValue != nValue or Devices[unit].sValue != sValue):
            Devices[unit].Update(nValue=nValue, sValue=sValue)
            Domoticz.Log(Devices[unit].Name + ": " + sValue)

    def timedOut(self, state):
        for unit in Devices:
            if Devices[unit].TimedOut != state:
                Devices[unit].Update(
                    nValue=Devices[unit].nValue, sValue=Devices[unit].sValue, TimedOut=state
                )


_plugin = BasePlugin()


def onStart():
    _plugin.onStart()


def onConnect(Connection, Status, Description):
    _plugin.onConnect(Connection, Status, Description)


def onMessage(Connection, Data):
    _plugin.onMessage(Connection, Data)


def onCommand(Unit, Command, Level, Color):
    _plugin.onCommand(Unit, Command, Level, Color)


def onTimeout(Connection):
    _plugin.onTimeout(Connection)


def onDisconnect(Connection):
    _plugin.onDisconnect(Connection)


def onHeartbeat():
    _plugin.onHeartbeat()
