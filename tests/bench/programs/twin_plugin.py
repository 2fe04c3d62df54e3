"""Takes orders for the programs that lie beside it, and logs their figures."""

import importlib
import json

import Domoticz


def onCommand(Unit, Command, Level, Color):
    module, *words = Command.split()
    figures = importlib.import_module(module).run(words)
    Domoticz.Log("TWIN " + json.dumps(figures))
