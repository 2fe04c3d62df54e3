# A plugin that stores a number after the other and says each when the call has returned.
"""
<plugin key="Writer" name="Writer" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between two" default="0"/>
    </params>
</plugin>
"""

import threading
import time

import Domoticz

over = threading.Event()


def work(number):
    while not over.is_set():
        number += 1
        Devices[1].Update(0, str(number))
        # The device shows after the call what is stored.
        if Devices[1].sValue == str(number):
            Domoticz.Log("stored %d" % number)
        if float(Parameters["Mode1"] or 0):
            time.sleep(float(Parameters["Mode1"]))


def onStart():
    if 1 not in Devices:
        Domoticz.Device(Name="number", Unit=1, TypeName="Text", Used=1).Create()
    number = int(Devices[1].sValue or 0)
    Domoticz.Log("found %d" % number)
    threading.Thread(target=work, args=(number,)).start()


def onStop():
    over.set()
