# A plugin with four threads that hand each other work, and one more for each heartbeat.
"""
<plugin key="Threads" name="Threads" author="Cordon" version="1.0.0">
    <params>
        <param field="Mode1" label="Seconds between heartbeats" default="5"/>
    </params>
</plugin>
"""

import queue
import threading
import time

import Domoticz

beats = 0
done = 0
jobs = queue.Queue(100)
workers = []


def work():
    global done
    while jobs.get() is not None:
        time.sleep(0.05)
        done += 1


def onStart():
    Domoticz.Heartbeat(int(Parameters["Mode1"] or 5))
    for _ in range(4):
        workers.append(threading.Thread(target=work))
        workers[-1].start()
    Domoticz.Log("started")


def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d %.4f answers=%d" % (beats, time.time(), done))
    for number in range(8):
        jobs.put(number)
    short = threading.Thread(target=time.sleep, args=(0.01,))
    short.start()
    short.join()


def onStop():
    for _ in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()
