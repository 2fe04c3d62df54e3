# A weather service that is asked every few seconds.
#
# Shows: HTTP requests from the heartbeat over one connection, JSON, devices with
# several values in their sValue.
"""
<plugin key="WeatherPoller" name="Weather poller" author="Cordon" version="1.0.0">
    <description>
        <h2>Weather poller</h2><br/>
        Asks an HTTP service for the weather; the answer is a JSON object.
        <h3>Devices</h3>
        <ul>
            <li>Outside: temperature, humidity and pressure</li>
            <li>Wind: direction, speed and gust</li>
        </ul>
    </description>
    <params>
        <param field="Address" label="IP Address" width="200px" required="true" default="127.0.0.1"/>
        <param field="Port" label="Port" width="60px" required="true" default="4002"/>
        <param field="Mode1" label="Path" width="200px" required="true" default="/weather"/>
        <param field="Mode2" label="Seconds between requests" width="60px" default="3"/>
    </params>
</plugin>
"""

import json

import Domoticz

OUTSIDE = 1
WIND = 2

COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


class BasePlugin:
    def __init__(self):
        self.connection = None

    def onStart(self):
        if OUTSIDE not in Devices:
            Domoticz.Device(Name="Outside", Unit=OUTSIDE, TypeName="Temp+Hum+Baro", Used=1).Create()
        if WIND not in Devices:
            Domoticz.Device(Name="Wind", Unit=WIND, TypeName="Wind", Used=1).Create()
        self.connection = Domoticz.Connection(
            Name="Weather",
            Transport="TCP/IP",
            Protocol="HTTP",
            Address=Parameters["Address"],
            Port=Parameters["Port"],
        )
        Domoticz.Heartbeat(int(Parameters["Mode2"] or 3))
        self.connection.Connect()

    def onHeartbeat(self):
        if self.connection.Connected():
            self.ask()
        elif not self.connection.Connecting():
            self.connection.Connect()

    def onConnect(self, Connection, Status, Description):
        if Status == 0:
            self.ask()
        else:
            Domoticz.Error("Connecting failed (" + str(Status) + "): " + Description)

    def onMessage(self, Connection, Data):
        if Data["Status"] != "200":
            Domoticz.Error("The service answered with status " + Data["Status"])
            return
        try:
            weather = json.loads(Data["Data"])
            self.show(weather, weather["wind"])
        except (KeyError, TypeError, ValueError) as error:
            Domoticz.Error("The answer cannot be used: " + repr(error))

    def ask(self):
        self.connection.Send(
            {
                "Verb": "GET",
                "URL": Parameters["Mode1"] or "/weather",
                "Headers": {
                    "Host": Parameters["Address"] + ":" + Parameters["Port"],
                    "Accept": "application/json",
                },
            }
        )

    def show(self, weather, wind):
        humidity = int(weather["humidity"])
        # 0 normal, 1 comfortable, 2 dry, 3 wet
        comfort = 2 if humidity < 30 else 3 if humidity > 70 else 1 if humidity >= 45 else 0
        Devices[OUTSIDE].Update(
            nValue=0,
            sValue="%.1f;%d;%d;%.1f;0"
            % (weather["temperature"], humidity, comfort, weather["pressure"]),
        )

        bearing = int(wind["bearing"])
        direction = COMPASS[round(bearing / 45) % 8]
        # Wind devices hold tenths of metres per second.
        Devices[WIND].Update(
            nValue=0,
            sValue="%d;%s;%d;%d;%.1f;%.1f"
            % (
                bearing,
                direction,
                round(wind["speed"] * 10),
                round(wind["gust"] * 10),
                weather["temperature"],
                weather["temperature"],
            ),
        )
        Domoticz.Log("%.1f °C, %d %%, wind from %s" % (weather["temperature"], humidity, direction))


_plugin = BasePlugin()


def onStart():
    _plugin.onStart()


def onHeartbeat():
    _plugin.onHeartbeat()


def onConnect(Connection, Status, Description):
    _plugin.onConnect(Connection, Status, Description)


def onMessage(Connection, Data):
    _plugin.onMessage(Connection, Data)
