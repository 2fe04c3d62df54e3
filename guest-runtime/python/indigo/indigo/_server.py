"""``indigo.server``: the server itself, its log, its clock and the other plugins.

Owns the signatures. Values that do not change while a plugin runs come from the hub's
facts at the start; the server is asked for all others.
"""

import datetime
import logging

from indigo import _call, _plugin
from indigo._containers import Dict, List


class PluginInfo:
    """The facts about a plugin by its id; it may not be installed."""

    def __init__(self, data):
        self._data = data

    def _fresh(self):
        self._data = _call.command("server.getPlugin", {"pluginId": self.pluginId})
        return self._data

    @property
    def pluginId(self):
        return self._data.get("pluginId", "")

    @property
    def pluginDisplayName(self):
        return self._data.get("pluginDisplayName", "")

    @property
    def pluginVersion(self):
        return self._data.get("pluginVersion", "")

    @property
    def pluginFolderPath(self):
        return self._data.get("pluginFolderPath", "")

    @property
    def pluginSupportURL(self):
        return self._data.get("pluginSupportURL", "")

    def isInstalled(self):
        return bool(self._fresh().get("isInstalled"))

    def isEnabled(self):
        return bool(self._fresh().get("isEnabled"))

    def isRunning(self):
        return bool(self._fresh().get("isRunning"))

    def restart(self, waitUntilDone=True):
        _call.command(
            "server.pluginRestart",
            {"pluginId": self.pluginId, "waitUntilDone": bool(waitUntilDone)},
        )

    def restartAndDebug(self, *args, **kwargs):
        """As `restart`: there is no debugger here."""
        self.restart()

    def executeAction(self, actionTypeId, deviceId=0, props=None, waitUntilDone=True):
        """Has the plugin carry out one of its actions; returns the action's result."""
        return _call.contained(
            _call.command(
                "server.pluginExecuteAction",
                {
                    "pluginId": self.pluginId,
                    "actionTypeId": actionTypeId,
                    "deviceId": _call.reference(deviceId or 0),
                    "props": None if props is None else dict(props),
                    "waitUntilDone": bool(waitUntilDone),
                },
            )
        )

    def __str__(self):
        return "\n".join("%s : %s" % item for item in sorted(self._data.items()))

    __repr__ = __str__


class Server:
    """The one object ``indigo.server``."""

    def _ask(self, command, **arguments):
        return _call.command("server." + command, arguments)

    def _info(self, name, default):
        value = self._ask("info").get(name)
        return default if value is None else value

    # Facts about the server.

    @property
    def version(self):
        return _plugin.facts.get("serverVersion") or self._info("version", "")

    @property
    def apiVersion(self):
        return _plugin.facts.get("apiVersion") or self._info("apiVersion", "")

    @property
    def address(self):
        return self._info("address", "")

    @property
    def portNum(self):
        return self._info("portNum", 0)

    @property
    def connectionGood(self):
        return bool(self._info("connectionGood", True))

    @property
    def licenseStatus(self):
        from indigo import kLicenseStatus

        return kLicenseStatus._of(self._info("licenseStatus", "Unknown"))

    # Log.

    def log(self, message, type=None, isError=False, level=None, **kwargs):
        """Writes into the event log."""
        if level is None:
            level = logging.ERROR if isError else logging.INFO
        else:
            level = logging.getLevelName(level) if isinstance(level, str) else level
            level = level if isinstance(level, int) else logging.INFO
        is_error = bool(isError) or level >= logging.ERROR
        if type is None:
            type = _plugin.facts.get("pluginDisplayName", "")
            if is_error:
                type += " Error"
            elif level >= logging.WARNING:
                type += " Warning"
            elif level < logging.INFO:
                type += " Debug"
        self._ask("log", message=str(message), type=str(type), level=level, isError=is_error)

    def error(self, message, **kwargs):
        """Writes an error into the event log."""
        self.log(message, isError=True)

    def getEventLogList(self, returnAsList=False, lineCount=1500, showTimeStamp=True):
        """The last lines of the event log, as one text or as dictionaries."""
        lines = self._ask(
            "getEventLogList",
            returnAsList=bool(returnAsList),
            lineCount=int(lineCount),
            showTimeStamp=bool(showTimeStamp),
        )
        return List(lines) if returnAsList else lines

    def subscribeToLogBroadcasts(self):
        """Has the plugin's ``logBroadcast`` called with every line of the log."""
        self._ask("subscribeToLogBroadcasts")

    # Clock and place.

    def getTime(self):
        """The server's local time."""
        return _call.moment(self._ask("getTime")) or datetime.datetime.now()

    def calculateSunrise(self, date=None):
        """The next sunrise, or that of a date."""
        return _call.moment(self._ask("calculateSunrise", date=date))

    def calculateSunset(self, date=None):
        """The next sunset, or that of a date."""
        return _call.moment(self._ask("calculateSunset", date=date))

    def getLatitudeAndLongitude(self):
        info = self._ask("info")
        return [float(info.get("latitude") or 0.0), float(info.get("longitude") or 0.0)]

    # Places of files and pages.

    def getInstallFolderPath(self):
        return (_plugin.facts.get("installFolder") or self._info("installFolder", "")).rstrip("/")

    def getLogsFolderPath(self, pluginId=None):
        folder = (_plugin.facts.get("logFolder") or self._info("logsFolder", "")).rstrip("/")
        return folder + "/" + pluginId if pluginId else folder

    def getDbName(self):
        return self._info("dbName", "Cordon")

    def getDbFilePath(self):
        """Where the original keeps its database; there is no such file here."""
        return "%s/Databases/%s.indiDb" % (self.getInstallFolderPath(), self.getDbName())

    def getReflectorURL(self):
        """The address from outside, or ``None``."""
        return self._info("reflectorURL", None)

    def getWebServerURL(self):
        return str(self._info("webServerURL", "")).rstrip("/")

    def getSerialPorts(self, filter=""):
        """Names of serial ports by their path."""
        # Over what the server sent: a path is no key that a plugin may set.
        return Dict._over(self._ask("getSerialPorts", filter=filter) or {})

    # Other plugins and this one.

    def getPlugin(self, pluginId):
        """The facts about a plugin; for an unknown id an object that says so."""
        return PluginInfo(self._ask("getPlugin", pluginId=pluginId))

    def getPluginList(self, includeDisabled=False):
        return [
            PluginInfo(data)
            for data in self._ask("getPluginList")
            if includeDisabled or data.get("isEnabled", True)
        ]

    def savePluginPrefs(self):
        """Writes the plugin's preferences now."""
        from indigo import _prefs

        _prefs.save()

    def restartPlugin(self, message="", isError=False):
        self._ask("restartPlugin", message=str(message), isError=bool(isError))

    def stopPlugin(self, message="", isError=False):
        self._ask("stopPlugin", message=str(message), isError=bool(isError))

    def broadcastToSubscribers(self, messageName, arg=_call.ABSENT):
        """Tells the plugins that subscribed to this message of this plugin."""
        if arg is not _call.ABSENT:
            arg = _call.Given(arg)
        self._ask("broadcastToSubscribers", messageName=messageName, arg=arg)

    def subscribeToBroadcast(self, pluginId, messageName, methodName):
        """Has a method of this plugin called for another plugin's message."""
        self._ask(
            "subscribeToBroadcast",
            pluginId=pluginId,
            messageName=messageName,
            methodName=getattr(methodName, "__name__", methodName),
        )

    # Other commands.

    def sendEmailTo(self, emailTo, subject="", body=""):
        self._ask("sendEmailTo", emailTo=emailTo, subject=str(subject), body=str(body))

    def speak(self, textToSpeak, waitUntilDone=False):
        self._ask("speak", textToSpeak=str(textToSpeak), waitUntilDone=bool(waitUntilDone))

    def waitUntilIdle(self):
        self._ask("waitUntilIdle")

    def removeAllDelayedActions(self):
        self._ask("removeAllDelayedActions")

    def getDeprecatedElems(self, includeWarnings=False):
        return List(self._ask("getDeprecatedElems") or [])

    def __repr__(self):
        return "indigo.server"


class Host:
    """``indigo.host``: the program that runs the plugin."""

    debugMode = 0

    @property
    def version(self):
        return _plugin.facts.get("serverVersion", "")

    @property
    def resourcesFolderPath(self):
        return server.getInstallFolderPath() + "/Resources"

    def browserOpen(self, url):
        """Notes the address: a server has no browser of its own."""
        server.log("open this address in a browser: %s" % url)

    def __repr__(self):
        return "indigo.host"


server = Server()
host = Host()
