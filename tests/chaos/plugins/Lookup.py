# A plugin whose thread looks a name up again and again, and whose heartbeat connects to it.
"""
<plugin key="Lookup" name="Lookup" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
        <param field="Address" label="Name" default="device.example.org"/>
        <param field="Port" label="Port" default="80"/>
        <param field="Mode2" label="Seconds between look-ups" default="1"/>
    </params>
</plugin>
"""

import socket
import threading
import time

import Domoticz

beats = asked = failed = 0
over = threading.Event()
connection = None


def ask():
    global asked, failed
    while not over.is_set():
        asked += 1
        try:
            socket.getaddrinfo(Parameters["Address"], int(Parameters["Port"]))
        except OSError:
            failed += 1
        over.wait(float(Parameters["Mode2"] or 1))


def onStart():
    global connection
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    threading.Thread(target=ask).start()
    connection = Domoticz.Connection(
        Name="device",
        Transport="TCP/IP",
        Protocol="None",
        Address=Parameters["Address"],
        Port=Parameters["Port"],
    )
    connection.Connect()
    Domoticz.Log("started")


def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d %.4f asked=%d failed=%d" % (beats, time.time(), asked, failed))
    if not connection.Connected() and not connection.Connecting():
        connection.Connect()


def onStop():
    over.set()
