"""Calls the functions of the contract that are for Indigo plugins, with arguments of a size.

The action returns the bytes that went into commands and came out of them, or what its
caller shall read.
"""

import json
import random

import _cordon
import indigo

R = random.Random(1)
ALPHABETS = ("x", "<&\">'", "\u20ac", ";:,|", "0123456789-.", " \t\n", "\\\"{}[]", "\x00\x1b[")
NAMESPACES = ("device", "devices", "variable", "variables", "trigger", "schedule", "actionGroup", "server",
              "devices.folder", "variables.folder", "dimmer", "thermostat", "pluginEvent", "nonsense")
COMMANDS = ("create", "get", "objects", "delete", "replaceOnServer", "updateValue", "updateStatesOnServer", "enable",
            "replacePluginPropsOnServer", "names", "ids", "duplicate", "moveToFolder", "execute", "log", "getDependencies",
            "stateListOrDisplayStateIdChanged", "broadcastToSubscribers", "savePluginPrefs", "nonsense")
NUMBER = 0


def text(size, shape):
    """A text of so many bytes at most; parsers trip over the shapes."""
    alphabet = ALPHABETS[shape % len(ALPHABETS)]
    unit = "".join(R.choice(alphabet) for _ in range(16))
    return (unit * (size // len(unit.encode()) + 1)).encode()[:size].decode("utf-8", "ignore")


def value(size, shape):
    """A value of so many bytes at most, of few parts: writing many takes the interpreter long."""
    count = min(size // 50, 500)
    kinds = (
        lambda: text(size, shape),
        lambda: [text(size // max(count, 1), shape)] * count,
        lambda: {"k%d" % n: text(40, shape) for n in range(count)},
        lambda: [n for n in range(count)],
    )
    return kinds[shape % len(kinds)]()


def parts(size, shape):
    """JSON of so many bytes, of many parts: these take the hub most memory for a byte."""
    part = ("[]", "1234567", "{}", '"text"', "false", '{"a":[]}')[shape % 6]
    return "[" + ",".join([part] * min(size // (len(part) + 1), 20000)) + "]"


class Calls:
    """Commands with the bytes of their arguments and answers."""

    def __init__(self):
        self.into = self.out = 0

    def raw(self, name, arguments):
        kind, reply = _cordon.call(name, arguments)
        self.into += len(name.encode()) + len(arguments.encode())
        self.out += len((reply or "").encode())
        return json.loads(reply) if reply and kind is None and len(reply) < 4000 else None

    def call(self, name, made="null", /, **arguments):
        """A command; `"PARTS"` in its arguments stands for JSON that is made already."""
        return self.raw(name, json.dumps(arguments).replace('"PARTS"', made))


def variables(calls, size, shape):
    calls.call("variable.create", name=fresh(), value=text(size, shape))
    calls.call("variable.updateValue", id=last(), value=text(size, shape + 1))
    calls.call("variables.get", id=last())
    calls.call("variables.objects", ids=[last(), last()])
    calls.call("variable.delete", id=last())


def devices(calls, size, shape):
    calls.call("device.create", name=fresh(), deviceTypeId="custom", props={"a": value(size, shape)})
    states = [{"Key": "s%d" % n, "Type": "String"} for n in range(min(size // 64, 200))]
    calls.call("device.stateListOrDisplayStateIdChanged", id=last(), stateList=states)
    calls.call("device.updateStatesOnServer", id=last(),
               states=[{"key": state["Key"], "value": text(20, shape)} for state in states])
    calls.call("device.replacePluginPropsOnServer", parts(size, shape), id=last(), props={"b": "PARTS"})
    calls.call("devices.get", id=last())
    calls.call("device.delete", id=last())


def schedules(calls, size, shape):
    calls.call("schedule.create", name=fresh(), timeType="Countdown", timing={"countdown": 1e6})
    for each in range(4):
        given = {"description": text(size // 4, shape), "randomizeBy": each}
        calls.call("schedule.replaceOnServer", id=last(), object=given)
    calls.call("schedule.delete", id=last())


def server(calls, size, shape):
    calls.call("server.log", message=text(size, shape))
    calls.call("server.broadcastToSubscribers", parts(size, shape), messageName="m", arg="PARTS")


def garbage(calls, size, shape):
    calls.raw(text(size, shape), "[" * min(size, 1000) + text(size, shape))
    calls.raw("variables.get", text(size, shape))


def any_command(calls, size, shape):
    """A command by its name alone, with arguments that others have."""
    name = R.choice(NAMESPACES) + "." + R.choice(COMMANDS)
    known = {
        "id": R.choice(("absent", 1, text(size, shape))),
        "name": text(min(size, 1000), shape),
        "value": value(size // 4, shape),
        "object": {"name": text(min(size, 1000), shape), "description": text(size // 4, shape)},
        "props": {"a": "PARTS"},
        "states": [{"key": text(20, 0), "value": 1}] * min(size // 64, 200),
        "ids": list(range(min(size // 8, 500))),
        "filter": text(min(size, 5000), shape),
    }
    chosen = R.sample(list(known), R.randrange(len(known)))
    made = calls.call(name, parts(size // 4, shape), **{key: known[key] for key in chosen})
    if isinstance(made, dict) and isinstance(made.get("id"), int):
        calls.call(name.rpartition(".")[0] + ".delete", id=made["id"])


KINDS = (garbage, variables, devices, schedules, server, any_command)


def fresh():
    global NUMBER
    NUMBER += 1
    return last()


def last():
    return "cost%d" % NUMBER


class Plugin(indigo.PluginBase):
    def work(self, action, dev=None, waiting=None):
        size, shape = int(action.props["size"]), int(action.props["shape"])
        if action.props["function"] == "commands.reply":
            return value(size, shape)
        calls = Calls()
        KINDS[shape % len(KINDS)](calls, size, shape // len(KINDS))
        return [calls.into, calls.out]
