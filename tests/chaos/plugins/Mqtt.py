# A plugin that sends itself a message through a broker at each heartbeat and counts those that come.
"""
<plugin key="Mqtt" name="Mqtt" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
        <param field="Address" label="Address" default="127.0.0.1"/>
        <param field="Port" label="Port" default="1883"/>
        <param field="Mode2" label="Topic" default="topic"/>
    </params>
</plugin>
"""

import time

import Domoticz

beats = answers = 0
connection = None


def onStart():
    global connection
    if 1 not in Devices:
        Domoticz.Device(Name="message", Unit=1, TypeName="Text", Used=1).Create()
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    connection = Domoticz.Connection(
        Name="broker",
        Transport="TCP/IP",
        Protocol="MQTT",
        Address=Parameters["Address"],
        Port=Parameters["Port"],
    )
    connection.Connect()
    Domoticz.Log("started")


def onConnect(Connection, Status, Description):
    if Status == 0:
        connection.Send({"Verb": "CONNECT", "ID": Parameters["Mode2"]})


def onMessage(Connection, Data):
    global answers
    if Data["Verb"] == "CONNACK":
        connection.Send(
            {
                "Verb": "SUBSCRIBE",
                "PacketIdentifier": 1,
                "Topics": [{"Topic": Parameters["Mode2"], "QoS": 0}],
            }
        )
    elif Data["Verb"] == "PUBLISH":
        answers += 1
        Devices[1].Update(0, bytes(Data["Payload"]).decode())


def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d %.4f answers=%d" % (beats, time.time(), answers))
    if connection.Connected():
        connection.Send(
            {"Verb": "PUBLISH", "Topic": Parameters["Mode2"], "QoS": 0, "Payload": str(beats)}
        )
    elif not connection.Connecting():
        connection.Connect()
