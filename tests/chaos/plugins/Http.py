# A plugin that asks an HTTP server at each heartbeat and counts the answers.
"""
<plugin key="Http" name="Http" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
        <param field="Address" label="Address" default="127.0.0.1"/>
        <param field="Port" label="Port" default="80"/>
    </params>
</plugin>
"""

import json
import time

import Domoticz

beats = answers = 0
connection = None


def ask():
    connection.Send(
        {
            "Verb": "GET",
            "URL": "/figures",
            "Headers": {"Host": "peer", "Accept": "application/json"},
        }
    )


def onStart():
    global connection
    if 1 not in Devices:
        Domoticz.Device(Name="figure", Unit=1, TypeName="Temperature", Used=1).Create()
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    connection = Domoticz.Connection(
        Name="peer",
        Transport="TCP/IP",
        Protocol="HTTP",
        Address=Parameters["Address"],
        Port=Parameters["Port"],
    )
    connection.Connect()
    Domoticz.Log("started")


def onConnect(Connection, Status, Description):
    if Status == 0:
        ask()


def onMessage(Connection, Data):
    global answers
    answers += 1
    Devices[1].Update(0, str(json.loads(Data["Data"])["figure"]))


def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d %.4f answers=%d" % (beats, time.time(), answers))
    if connection.Connected():
        ask()
    elif not connection.Connecting():
        connection.Connect()
