import Domoticz

from timing import milliseconds


def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("MICRO %r" % milliseconds(Command))
