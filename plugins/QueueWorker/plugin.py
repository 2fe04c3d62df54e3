# Work that takes too long for a callback, done by a thread of the plugin.
#
# Shows: threading.Thread with a queue.Queue, devices changed from the thread, and
# the clean stop that Domoticz asks for: no thread outlives onStop.
"""
<plugin key="QueueWorker" name="Queue worker" author="Cordon" version="1.0.0">
    <description>
        <h2>Queue worker</h2><br/>
        Queues a job at every heartbeat and whenever the switch is pushed; a thread does them one by one.
        <h3>Devices</h3>
        <ul>
            <li>Jobs done: how many since the start</li>
            <li>Last job: what it was and how long it took</li>
            <li>Run a job: push button</li>
        </ul>
    </description>
    <params>
        <param field="Mode1" label="Seconds per job" width="60px" default="1"/>
        <param field="Mode2" label="Seconds between jobs" width="60px" default="3"/>
    </params>
</plugin>
"""

import queue
import threading
import time

import Domoticz

DONE = 1
LAST = 2
RUN = 3

# Jobs that may wait; more are refused instead of piling up.
QUEUE_LENGTH = 20


class BasePlugin:
    def __init__(self):
        self.jobs = queue.Queue(QUEUE_LENGTH)
        self.worker = threading.Thread(name="worker", target=self.work)
        self.done = 0

    def onStart(self):
        if DONE not in Devices:
            Domoticz.Device(
                Name="Jobs done", Unit=DONE, TypeName="Custom", Options={"Custom": "1;jobs"}, Used=1
            ).Create()
        if LAST not in Devices:
            Domoticz.Device(Name="Last job", Unit=LAST, TypeName="Text", Used=1).Create()
        if RUN not in Devices:
            Domoticz.Device(Name="Run a job", Unit=RUN, TypeName="Push On", Used=1).Create()
        Domoticz.Heartbeat(int(Parameters["Mode2"] or 3))
        self.worker.start()

    def onHeartbeat(self):
        self.add("heartbeat")

    def onCommand(self, Unit, Command, Level, Color):
        if Unit == RUN:
            self.add("button")

    def onStop(self):
        # The jobs that still wait are dropped, the one that runs is finished.
        try:
            while True:
                self.jobs.get_nowait()
        except queue.Empty:
            pass
        self.jobs.put(None)
        self.worker.join(timeout=10)
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread is not threading.main_thread():
                Domoticz.Error("Thread '" + thread.name + "' is still running")

    def add(self, reason):
        try:
            self.jobs.put_nowait(reason)
            Domoticz.Debug("Queued: " + reason)
        except queue.Full:
            Domoticz.Error("The queue is full, the job is dropped")

    def work(self):
        Domoticz.Log("Worker started")
        while True:
            reason = self.jobs.get()
            if reason is None:
                break
            try:
                self.run(reason)
            except Exception as error:
                Domoticz.Error("The job failed: " + repr(error))
        Domoticz.Log("Worker ended")

    def run(self, reason):
        started = time.monotonic()
        # Stands for whatever blocks: a slow device, a long computation.
        time.sleep(float(Parameters["Mode1"] or 1))
        self.done += 1
        text = "%s, %.1f s" % (reason, time.monotonic() - started)
        Devices[DONE].Update(nValue=0, sValue=str(self.done))
        Devices[LAST].Update(nValue=0, sValue=text)
        Domoticz.Log("Job %d done: %s" % (self.done, text))


_plugin = BasePlugin()


def onStart():
    _plugin.onStart()


def onHeartbeat():
    _plugin.onHeartbeat()


def onCommand(Unit, Command, Level, Color):
    _plugin.onCommand(Unit, Command, Level, Color)


def onStop():
    _plugin.onStop()
