"""Namespaces of commands that are not about one kind of device.

Owns the signatures of these commands. Every method sends one command of its own name
and returns the server's answer; an object is named by itself, its id or its name.
"""

from indigo import _call

_ABSENT = _call.ABSENT


class Commands:
    """Sends commands of one namespace."""

    def __init__(self, name):
        self._name = name

    def _send(self, command, elem=_ABSENT, **arguments):
        if elem is not _ABSENT:
            arguments = {"id": _call.reference(elem), **arguments}
        return _call.instance(_call.command(self._name + "." + command, arguments))

    def __repr__(self):
        return "indigo." + self._name


def optional_reference(element):
    """An object that may be left out: 0 and ``None`` are none."""
    return _call.reference(element) if element else None


class ElementCommands(Commands):
    """Commands for objects of every kind."""

    def delete(self, elem):
        self._send("delete", elem)

    def duplicate(self, elem, duplicateName=None):
        """Returns the copy that was made."""
        return self._send("duplicate", elem, duplicateName=duplicateName)

    def moveToFolder(self, elem, value=0):
        # 0 is a place too: outside of all folders.
        self._send("moveToFolder", elem, value=_call.reference(value or 0))

    # As a sample of the manual writes it.
    setFolder = moveToFolder

    def displayInRemoteUI(self, elem, value=True):
        self._send("displayInRemoteUI", elem, value=bool(value))

    def getDependencies(self, elem):
        """The objects that refer to this one: a Dict of six lists."""
        return self._send("getDependencies", elem)


class EnabledCommands(ElementCommands):
    """Commands for objects that can be turned off."""

    def enable(self, elem, value=True, delay=None, duration=None):
        self._send("enable", elem, value=bool(value), delay=delay, duration=duration)

    def removeDelayedActions(self, elem=None):
        """Drops the actions that wait for this object; without one, all of the plugin's."""
        if elem is None:
            _call.command("server.removeAllDelayedActions", {})
        else:
            self._send("removeDelayedActions", elem)


class FolderCommands(Commands):
    """The folders of one kind of objects, as commands."""

    def __init__(self, owner, folders):
        Commands.__init__(self, owner + ".folder")
        self._folders = folders

    def create(self, name):
        """Returns the new folder."""
        return self._folders._made(_call.command(self._name + ".create", {"name": name}))

    def delete(self, folder, deleteAllChildren=False):
        self._send("delete", folder, deleteAllChildren=bool(deleteAllChildren))

    def duplicate(self, folder, duplicateName=None):
        arguments = {"id": _call.reference(folder), "duplicateName": duplicateName}
        return self._folders._made(_call.command(self._name + ".duplicate", arguments))

    def getId(self, name):
        return self._folders.getId(name)

    def displayInRemoteUI(self, folder, value=True):
        self._send("displayInRemoteUI", folder, value=bool(value))


class VariableCommands(ElementCommands):
    """``indigo.variable``."""

    def create(self, name, value=None, folder=None):
        """Returns the new variable."""
        _check_text(value)
        return self._send("create", name=name, value=value, folder=optional_reference(folder))

    def updateValue(self, elem, value=""):
        """Sets the value, which is text and nothing else."""
        _check_text(value)
        self._send("updateValue", elem, value=value)


def _check_text(value):
    if value is not None and not isinstance(value, str):
        raise TypeError(
            "the value of a variable is str, not %s: convert it with str()" % type(value).__name__
        )


class TriggerCommands(EnabledCommands):
    """``indigo.trigger``."""

    def execute(self, elem, ignoreConditions=False, trigger_data=None):
        """Executes the trigger if its conditions allow it."""
        self._send(
            "execute", elem, ignoreConditions=bool(ignoreConditions), trigger_data=trigger_data
        )


class TriggerKindCommands(TriggerCommands):
    """A class of triggers, such as ``indigo.devStateChange``: it alone creates."""

    def __init__(self, name, fields):
        TriggerCommands.__init__(self, "trigger")
        self._kind = name
        self._fields = frozenset(fields.split())

    def create(self, name=None, folder=None, description=None, enabled=None, **fields):
        """Returns the new trigger; fields are those of the class."""
        unknown = sorted(set(fields) - self._fields)
        if unknown:
            raise TypeError("indigo.%s.create has no argument '%s'" % (self._kind, unknown[0]))
        for field in ("deviceId", "variableId"):
            if field in fields:
                fields[field] = optional_reference(fields[field])
        if "props" in fields:
            fields["props"] = _call.props(fields["props"])
        arguments = dict(
            name=name,
            folder=optional_reference(folder),
            description=description,
            enabled=enabled,
            **fields,
        )
        return _call.instance(_call.command(self._kind + ".create", arguments))


class ScheduleCommands(EnabledCommands):
    """``indigo.schedule``."""

    def execute(self, elem, ignoreConditions=False, schedule_data=None):
        """Executes the actions now if the conditions allow it."""
        self._send(
            "execute", elem, ignoreConditions=bool(ignoreConditions), schedule_data=schedule_data
        )


class ActionGroupCommands(EnabledCommands):
    """``indigo.actionGroup``."""

    def execute(self, elem, event_data=None):
        """Executes all actions of the group."""
        self._send("execute", elem, event_data=event_data)


class ControlPageCommands(ElementCommands):
    """``indigo.controlPage``."""

    def create(self, name=None, folder=None, **fields):
        """Returns the new page."""
        return self._send("create", name=name, folder=optional_reference(folder), **fields)


variable = VariableCommands("variable")
trigger = TriggerCommands("trigger")
schedule = ScheduleCommands("schedule")
actionGroup = ActionGroupCommands("actionGroup")
controlPage = ControlPageCommands("controlPage")

pluginEvent = TriggerKindCommands("pluginEvent", "pluginId pluginTypeId props configured")
devStateChange = TriggerKindCommands(
    "devStateChange", "deviceId stateChangeType stateSelector stateSelectorIndex stateValue props"
)
varValueChange = TriggerKindCommands(
    "varValueChange", "variableId variableChangeType variableValue props"
)
insteonCmdRcvd = TriggerKindCommands(
    "insteonCmdRcvd", "command commandSourceType deviceId buttonOrGroup props"
)
x10CmdRcvd = TriggerKindCommands(
    "x10CmdRcvd", "command commandSourceType deviceId address avButton props"
)
emailRcvd = TriggerKindCommands("emailRcvd", "emailFilter emailFrom emailSubject props")
serverStartup = TriggerKindCommands("serverStartup", "props")
powerFail = TriggerKindCommands("powerFail", "props")
# The manual's page of commands calls it so.
powerFailure = powerFail
interfaceFail = TriggerKindCommands("interfaceFail", "props")
interfaceInit = TriggerKindCommands("interfaceInit", "props")
