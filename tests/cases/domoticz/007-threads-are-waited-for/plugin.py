"""
<plugin key="Case" name="Case" version="1.0" author="tests">
    <params>
        <param field="Address" label="Address"/>
        <param field="Port" label="Port"/>
    </params>
</plugin>
"""
import Domoticz

import threading

done = threading.Event()
worker = threading.Thread(target=done.wait)


def onStart():
    worker.start()
    Domoticz.Log("started")


def onStop():
    done.set()
    worker.join()
    Domoticz.Log("joined")
