"""``indigo.PluginBase``: the base class of every plugin.

Owns the parts of a plugin's object from before its own first line: its names, its
preferences, its logs, its sleep, and helpers. A plugin that never calls the base
class's ``__init__`` has all of it, because the object is prepared when it is made.
"""

import logging
import threading

from indigo import _errors, _log, _lookup, _plugin, _prefs
from indigo._callbacks import Callbacks
from indigo._containers import Dict
from indigo._serial import SerialPorts
from indigo._states import StateDescriptions
from indigo._substitution import Substitution

_NAMES = ("pluginId", "pluginDisplayName", "pluginVersion", "pluginPrefs")


class PluginBase(Callbacks, StateDescriptions, Substitution, SerialPorts):
    """The base class; ``Plugin`` of ``plugin.py`` derives from it."""

    class StopThread(Exception):
        """Ends ``runConcurrentThread``."""

    class InterfaceError(Exception):
        """An interface does not work."""

    class PluginDisabled(Exception):
        """The other plugin is turned off."""

    class PluginNotInstalled(Exception):
        """There is no such plugin."""

    class InvalidAction(Exception):
        """The other plugin has no such action."""

    class InvalidParameter(Exception):
        """An argument that cannot be."""

    IndigoLogHandler = _log.IndigoLogHandler

    pluginIsInitializing = True
    pluginIsShuttingDown = False

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        facts = _plugin.facts
        self.pluginId = facts.get("pluginId", "")
        self.pluginDisplayName = facts.get("pluginDisplayName", "")
        self.pluginVersion = facts.get("pluginVersion", "")
        self.pluginPrefs = facts.get("pluginPrefs", Dict())
        self.pluginFolderPath = facts.get("pluginFolder", "")
        self.pluginSupportURL = facts.get("pluginSupportURL", "")
        # These have names in the other style too; plugins set them themselves.
        self.plugin_id = self.pluginId
        self.plugin_display_name = self.pluginDisplayName
        self.plugin_version = self.pluginVersion
        self.plugin_folder_path = self.pluginFolderPath
        self.plugin_support_url = self.pluginSupportURL
        self._stop_event = threading.Event()
        self.logger, self.indigo_log_handler, self.plugin_file_handler = _log.plugin_logger()
        self._debug = False
        self._log_level = self.indigo_log_handler.level
        # Helpers of the plugin ask for the plugin while it is still being made.
        _plugin.active = self
        return self

    def __init__(self, *args, **kwargs):
        # (pluginId, pluginDisplayName, pluginVersion, pluginPrefs), or the preferences
        # alone as the oldest plugins have it.
        names = _NAMES[-1:] if len(args) == 1 else _NAMES
        for name, value in zip(names, args):
            setattr(self, name, value)
        for name in _NAMES:
            for spelling in (name, _lookup.snake_case(name)):
                if spelling in kwargs:
                    setattr(self, name, kwargs[spelling])

    def __del__(self):
        """Nothing; plugins call it."""

    @property
    def plugin_prefs(self):
        """The preferences, by their other name."""
        return self.pluginPrefs

    @plugin_prefs.setter
    def plugin_prefs(self, value):
        self.pluginPrefs = value

    # Threads.

    @property
    def stopThread(self):
        """Whether the plugin's threads are to end."""
        return self._stop_event.is_set()

    @stopThread.setter
    def stopThread(self, value):
        if value:
            self._stop_event.set()
        else:
            self._stop_event.clear()

    stop_thread = stopThread

    def sleep(self, seconds):
        """Waits; raises ``StopThread`` as soon as the plugin is to end."""
        _prefs.look()
        if self._stop_event.wait(max(0.0, float(seconds))):
            raise self.StopThread()

    # Logs.

    @property
    def debug(self):
        """Whether the event log gets debug messages."""
        return self._debug

    @debug.setter
    def debug(self, value):
        self._debug = bool(value)
        self.indigo_log_handler.setLevel(logging.DEBUG if value else logging.INFO)

    @property
    def logLevel(self):
        """The lowest level that the event log gets."""
        return self._log_level

    @logLevel.setter
    def logLevel(self, value):
        self._log_level = value
        # Some plugins keep the text of a dialog here and convert it themselves.
        if isinstance(value, int):
            self.indigo_log_handler.setLevel(value)

    def debugLog(self, msg):
        """A message that is shown when ``self.debug`` is on."""
        self.logger.debug(msg, stacklevel=2)

    def errorLog(self, msg):
        """A message in red."""
        self.logger.error(msg, stacklevel=2)

    def exceptionLog(self, msg="an exception was raised"):
        """A message in red with the exception that is being handled."""
        self.logger.exception(msg, stacklevel=2)

    debug_log, error_log, exception_log = debugLog, errorLog, exceptionLog

    # Preferences and the definitions in the XML files.

    def savePluginPrefs(self):
        """Writes the preferences now."""
        _prefs.save()

    save_plugin_prefs = savePluginPrefs

    @property
    def devicesTypeDict(self):
        """Types of devices by their id."""
        return _plugin.definitions().setdefault("devices", {})

    @property
    def eventsTypeDict(self):
        """Events by their id."""
        return _plugin.definitions().setdefault("events", {})

    @property
    def actionsTypeDict(self):
        """Actions by their id."""
        return _plugin.definitions().setdefault("actions", {})

    @property
    def menuItemsList(self):
        """Items of the plugin's menu."""
        return _plugin.definitions().setdefault("menuItems", [])

    def getDevicesDict(self):
        return self.devicesTypeDict

    def getEventsDict(self):
        return self.eventsTypeDict

    def getActionsDict(self):
        return self.actionsTypeDict

    def getMenuItemsList(self):
        return self.menuItemsList

    def getDeviceTypeClassName(self, typeId):
        """The class of a type of devices, such as ``indigo.RelayDevice``."""
        return _CLASSES.get((self.devicesTypeDict.get(typeId) or {}).get("Type"), "indigo.Device")

    def getActionCallbackMethod(self, typeId):
        """The name of the method that carries an action out."""
        return (self.actionsTypeDict.get(typeId) or {}).get("CallbackMethod")

    # Versions.

    @staticmethod
    def versStrToTuple(versStr):
        """``"1.2.3"`` as ``(1, 2, 3)``."""
        return tuple(int(part) if part.isdigit() else 0 for part in str(versStr).split("."))

    @staticmethod
    def versGreaterThanOrEq(versStr, otherStr):
        """Whether the first version is at least the second."""
        return _padded(versStr) >= _padded(otherStr)

    @staticmethod
    def serverVersCompatWith(versStr):
        """Whether this server offers this version of the API."""
        return _padded(_plugin.facts.get("apiVersion", "0")) >= _padded(versStr)

    # Things that only a Mac has.

    def browserOpen(self, url):
        """Notes the address: a server has no browser of its own."""
        self.logger.info("open this address in a browser: %s", url)

    def applicationWithBundleIdentifier(self, bundleID):
        """Refused."""
        raise _errors.absent(
            "PluginBase.applicationWithBundleIdentifier",
            "there are no applications of a Mac to control (%s)" % bundleID,
        )

    browser_open = browserOpen
    open_serial = SerialPorts.openSerial
    substitute_variable = Substitution.substituteVariable
    substitute_device_state = Substitution.substituteDeviceState


_CLASSES = {
    "relay": "indigo.RelayDevice",
    "dimmer": "indigo.DimmerDevice",
    "sensor": "indigo.SensorDevice",
    "speedcontrol": "indigo.SpeedControlDevice",
    "thermostat": "indigo.ThermostatDevice",
    "sprinkler": "indigo.SprinklerDevice",
    "iodevice": "indigo.MultiIODevice",
    "custom": "indigo.Device",
}


def _padded(version):
    """A version of three numbers at least, to compare."""
    numbers = PluginBase.versStrToTuple(version)
    return numbers + (0,) * (4 - len(numbers))


PluginBase.__module__ = "indigo"
_lookup.base = PluginBase
