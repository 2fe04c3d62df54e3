import importlib
import time

import Domoticz


def onCommand(Unit, Command, Level, Color):
    begun = time.perf_counter()
    importlib.import_module(Command)
    Domoticz.Log("IMPORTED %r" % ((time.perf_counter() - begun) * 1000))
