"""An Indigo server for tests: the commands of the contract over plain dictionaries.

Owns the objects and the requests. It calls the plugin back only where the test
says so.
"""

import copy
import json
import types

COLLECTIONS = {
    "devices": "device",
    "variables": "variable",
    "triggers": "trigger",
    "schedules": "schedule",
    "actionGroups": "actionGroup",
    "controlPages": "controlPage",
}
NAMESPACES = {namespace: name for name, namespace in COLLECTIONS.items()}
DEVICE_NAMESPACES = (
    "relay",
    "dimmer",
    "sensor",
    "speedcontrol",
    "thermostat",
    "sprinkler",
    "iodevice",
)
CLASSES = {
    "relay": "indigo.RelayDevice",
    "dimmer": "indigo.DimmerDevice",
    "sensor": "indigo.SensorDevice",
    "thermostat": "indigo.ThermostatDevice",
}
KINDS_OF_TRIGGERS = {
    "pluginEvent": "indigo.PluginEventTrigger",
    "devStateChange": "indigo.DeviceStateChangeTrigger",
    "varValueChange": "indigo.VariableValueChangeTrigger",
    "emailRcvd": "indigo.EmailReceivedTrigger",
    "serverStartup": "indigo.ServerStartupTrigger",
}


class Failure(Exception):
    def __init__(self, kind, message):
        Exception.__init__(self, message)
        self.kind = kind


class FakeIndigo:
    """Also the native module `_cordon`, as far as Indigo's side uses it."""

    def __init__(self):
        self.records = []
        self.calls = []
        self.replies = []
        self.events = []
        self.kept_code = None
        self.code_is_closed = False
        self.objects = {name: {} for name in COLLECTIONS}
        self.folders = {name: {} for name in COLLECTIONS}
        self.saved_prefs = []
        self.answers = {}
        self.next_id = 1000

    def module(self):
        module = types.ModuleType("_cordon")
        for name in ("log", "call", "reply", "code_keep", "code_closed"):
            setattr(module, name, getattr(self, name))
        return module

    # The work of the native module.

    def log(self, level, origin, text):
        assert isinstance(text, str), text
        self.records.append((level, origin, text))

    def code_keep(self, source_hash, compiled):
        self.kept_code = (source_hash, compiled)

    def code_closed(self):
        self.code_is_closed = True

    def reply(self, text):
        self.replies.append(json.loads(text))

    def call(self, name, text):
        arguments = json.loads(text)
        assert isinstance(arguments, dict), text
        self.calls.append((name, arguments))
        try:
            return (None, json.dumps(self.answer(name, copy.deepcopy(arguments))))
        except Failure as failure:
            return (failure.kind, str(failure))

    # The work of the server.

    def answer(self, name, arguments):
        if name in self.answers:
            answer = self.answers[name]
            return answer(arguments) if callable(answer) else answer
        first, _, command = name.partition(".")
        if first in COLLECTIONS:
            return self.collection(first, command, arguments)
        if first == "server":
            return self.server(command, arguments)
        if command == "create":
            return self.create(first, arguments)
        if first in NAMESPACES:
            return self.command(NAMESPACES[first], command, arguments)
        if first in DEVICE_NAMESPACES:
            self.find("devices", arguments["id"])
            return None
        raise Failure("unsupported", "this server has no command '%s'" % name)

    def add(self, collection, kind, **values):
        self.next_id += 1
        element = {
            "class": "indigo." + kind,
            "id": self.next_id,
            "name": "%s %d" % (kind, self.next_id),
            "description": "",
            "folderId": 0,
        }
        element.update(values)
        self.objects[collection][element["id"]] = element
        return element

    def device(self, kind="Device", **values):
        values.setdefault("pluginId", "com.test")
        values.setdefault("deviceTypeId", "type")
        values.setdefault("protocol", "Plugin")
        values.setdefault("enabled", True)
        values.setdefault("configured", True)
        values.setdefault("states", {})
        values.setdefault("pluginProps", {})
        return self.add("devices", kind, **values)

    def find(self, collection, key, folders=False):
        elements = (self.folders if folders else self.objects)[collection]
        if isinstance(key, int):
            if key in elements:
                return elements[key]
        for element in elements.values():
            if element["name"] == key:
                return element
        raise Failure("key", "%s has no element %r" % (collection, key))

    def collection(self, name, command, arguments):
        folders = command.startswith("folders.")
        if folders:
            command = command[len("folders.") :]
        if command.startswith("folder."):
            return self.folder_command(name, command[len("folder.") :], arguments)
        elements = (self.folders if folders else self.objects)[name]
        if command == "get":
            return self.find(name, arguments["id"], folders)
        if command in ("contains", "getName", "getId"):
            try:
                found = self.find(name, arguments["id"], folders)
            except Failure:
                found = {"id": 0, "name": ""}
            return {"contains": found["id"] != 0, "getName": found["name"], "getId": found["id"]}[
                command
            ]
        if command == "list":
            return [e["id"] for e in elements.values() if matches(e, arguments.get("filter"))]
        if command == "objects":
            return [elements[i] for i in arguments["ids"] if i in elements]
        if command == "subscribeToChanges":
            return None
        raise Failure("unsupported", command)

    def folder_command(self, name, command, arguments):
        if command in ("create", "duplicate"):
            self.next_id += 1
            folder = {
                "class": "indigo.Folder",
                "id": self.next_id,
                "description": "",
                "name": arguments.get("name") or arguments.get("duplicateName"),
                "remoteDisplay": True,
            }
            self.folders[name][folder["id"]] = folder
            return folder
        folder = self.find(name, arguments["id"], True)
        if command == "delete":
            del self.folders[name][folder["id"]]
        elif command == "replaceOnServer":
            folder.update(arguments["object"])
        return None

    def create(self, namespace, arguments):
        if namespace == "device":
            return self.create_device(arguments)
        if namespace == "variable":
            if any(v["name"] == arguments["name"] for v in self.objects["variables"].values()):
                raise Failure("value", "NameNotUniqueError")
            return self.add(
                "variables",
                "Variable",
                name=arguments["name"],
                value=arguments.get("value", ""),
                readOnly=False,
                folderId=arguments.get("folder", 0),
            )
        kind = KINDS_OF_TRIGGERS.get(namespace)
        if kind is None:
            raise Failure("unsupported", namespace)
        arguments.pop("folder", None)
        if "props" in arguments:
            arguments["pluginProps"] = arguments.pop("props")
        arguments.setdefault("enabled", True)
        return self.add("triggers", kind[len("indigo.") :], **arguments)

    def create_device(self, arguments):
        name = arguments.get("name")
        if name and any(d["name"] == name for d in self.objects["devices"].values()):
            raise Failure("value", "NameNotUniqueError")
        values = {
            key: arguments[key]
            for key in ("name", "description", "address", "deviceTypeId", "protocol")
            if key in arguments
        }
        return self.device(
            "Device",
            pluginId=arguments.get("pluginId", "com.test"),
            pluginProps=arguments.get("props", {}),
            folderId=arguments.get("folder", 0),
            **values,
        )

    def command(self, collection, command, arguments):
        element = self.find(collection, arguments["id"])
        if command == "updateStatesOnServer":
            for state in arguments["states"]:
                if state["key"] not in element["states"]:
                    continue
                element["states"][state["key"]] = state["value"]
                element["states"][state["key"] + ".ui"] = state.get("uiValue", str(state["value"]))
        elif command == "replacePluginPropsOnServer":
            element["pluginProps"] = arguments["props"]
        elif command == "replaceSharedPropsOnServer":
            element["sharedProps"] = arguments["props"]
        elif command == "replaceOnServer":
            element.update(arguments["object"])
        elif command == "updateStateImageOnServer":
            element["displayStateImageSel"] = arguments["value"]
        elif command == "setErrorStateOnServer":
            element["errorState"] = arguments["message"]
        elif command == "updateValue":
            element["value"] = arguments["value"]
        elif command == "enable":
            element["enabled"] = arguments["value"]
        elif command == "moveToFolder":
            element["folderId"] = arguments["value"]
        elif command == "delete":
            del self.objects[collection][element["id"]]
        elif command == "duplicate":
            return self.add(
                collection,
                element["class"][len("indigo.") :],
                **{
                    **element,
                    "id": self.next_id + 1,
                    "name": arguments.get("duplicateName") or element["name"] + " copy",
                },
            )
        elif command == "getDependencies":
            return {"devices": [{"ID": 5, "Name": "five"}], "triggers": []}
        elif command == "getGroupList":
            return [element["id"]]
        elif command == "ping":
            return {"Success": True, "TimeDelta": 12}
        elif command == "changeDeviceTypeId":
            element["deviceTypeId"] = arguments["typeId"]
            return element
        return None

    def server(self, command, arguments):
        if command == "log":
            self.events.append(arguments)
            return None
        if command == "info":
            return {
                "version": "2025.2",
                "apiVersion": "3.8",
                "address": "127.0.0.1",
                "portNum": 8176,
                "connectionGood": True,
                "licenseStatus": "ActiveSubscription",
                "latitude": 48.5,
                "longitude": 2.25,
                "installFolder": "/indigo",
                "logsFolder": "/indigo/Logs",
                "webServerURL": "http://127.0.0.1:8176/",
            }
        if command == "mayRestart":
            return True
        if command == "savePluginPrefs":
            self.saved_prefs.append(arguments["pluginPrefs"])
            return None
        if command == "getTime":
            return "2026-11-21T10:20:30"
        if command == "calculateSunrise":
            return "2026-11-22T08:10:00"
        if command == "calculateSunset":
            return "2026-11-21T17:01:00"
        if command == "getPlugin":
            known = arguments["pluginId"] == "com.other"
            return {
                "pluginId": arguments["pluginId"],
                "pluginDisplayName": "Other",
                "pluginVersion": "1.2.3",
                "pluginFolderPath": "/x",
                "pluginSupportURL": "u",
                "isInstalled": known,
                "isEnabled": known,
                "isRunning": known,
            }
        if command == "getPluginList":
            return [self.server("getPlugin", {"pluginId": "com.other"})]
        if command == "pluginExecuteAction":
            if arguments["actionTypeId"] == "bad":
                raise Failure("other", "the action raised ValueError: no")
            return {"echo": arguments.get("props", {})}
        if command == "getEventLogList":
            time = "2026-11-21 10:00:00"
            if arguments["returnAsList"]:
                return [
                    {
                        "TimeStamp": time,
                        "Timestamp": time,
                        "TypeStr": "T",
                        "TypeVal": 1,
                        "Message": "m",
                    }
                ]
            return (time + "\t" if arguments["showTimeStamp"] else "") + "T\tm"
        if command == "getSerialPorts":
            return {"/dev/ttyUSB0": "USB"}
        if command == "pluginDefinitions":
            return {
                "devices": {
                    "type": {
                        "Name": "Type",
                        "Type": "relay",
                        "States": [
                            {
                                "Key": "a",
                                "Type": "String",
                                "TriggerLabel": "A",
                                "StateLabel": "A",
                                "Disabled": False,
                            }
                        ],
                        "DisplayStateId": "a",
                        "ConfigUIRawXml": "<ConfigUI/>",
                    }
                },
                "events": {"event": {"Name": "Event"}},
                "actions": {"act": {"Name": "Act", "CallbackMethod": "doIt"}},
                "menuItems": [{"Id": "m", "Name": "M", "CallbackMethod": "menu"}],
            }
        return None


def matches(element, pattern):
    """As far as tests filter: by owner and by class."""
    if pattern is None:
        return True
    owner, _, kind = pattern.partition(".")
    if owner == "self":
        return element.get("pluginId") == "com.test" and kind in ("", element.get("deviceTypeId"))
    if owner == "indigo":
        return element["class"] == CLASSES.get(kind)
    return element.get("pluginId") == pattern
