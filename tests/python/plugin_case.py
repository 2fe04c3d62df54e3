"""A test case that runs one plugin against the fake hub.

Owns a fresh copy of the runtime for every test and puts the interpreter back as it
was afterwards.
"""

import contextlib
import importlib
import logging
import os
import shutil
import sys
import tempfile
import unittest

from fake_hub import FakeHub

_PYTHON = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "guest-runtime", "python"
)

# The folders of the runtime's modules that a real python3 can import.
RUNTIME = [os.path.join(_PYTHON, name) for name in ("runtime", "domoticz", "indigo", "")]

NORMAL, STATUS, ERROR = 0, 1, 2
HARDWARE, CORE = 0, 1
OK, NOT_DEFINED, RAISED = 0, 1, 2

_SAVED_SYS = (
    "stdout",
    "stderr",
    "stdin",
    "__stdout__",
    "__stderr__",
    "__stdin__",
    "argv",
    "orig_argv",
    "executable",
    "dont_write_bytecode",
    "_base_executable",
)

PARAMETERS = (
    "HardwareID",
    "HomeFolder",
    "StartupFolder",
    "UserDataFolder",
    "WebRoot",
    "Database",
    "Language",
    "Version",
    "Author",
    "Name",
    "Address",
    "Port",
    "SerialPort",
    "Username",
    "Password",
    "Key",
    "Mode1",
    "Mode2",
    "Mode3",
    "Mode4",
    "Mode5",
    "Mode6",
    "DomoticzVersion",
    "DomoticzHash",
    "DomoticzBuildTime",
)


@contextlib.contextmanager
def runtime_on_path():
    """Lets the runtime's modules be imported."""
    sys.path[:0] = RUNTIME
    try:
        yield
    finally:
        for folder in RUNTIME:
            sys.path.remove(folder)


class PluginCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self._modules = dict(sys.modules)
        self._path = list(sys.path)
        self._finders = list(sys.meta_path)
        self._environment = dict(os.environ)
        self._sys = {name: getattr(sys, name) for name in _SAVED_SYS if hasattr(sys, name)}
        self._tempdir = tempfile.tempdir
        self._log_start = logging._startTime
        self.folder = tempfile.mkdtemp() + "/"
        self.addCleanup(self._put_back)
        for name in list(sys.modules):
            if name.startswith(("_cordon", "Domoticz")) or name == "plugin":
                del sys.modules[name]
        self.hub = FakeHub()
        sys.modules["_cordon"] = self.hub.module()
        # In the component the runtime's modules are on no path.
        with runtime_on_path():
            self.runtime = importlib.import_module("_cordon_domoticz")
            # This has happened before every snapshot.
            importlib.import_module("_cordon_boot").forget()
            self.restore = importlib.import_module("_cordon_restore").restore
        self.plugin = None

    def _put_back(self):
        for name, value in self._sys.items():
            setattr(sys, name, value)
        sys.path[:] = self._path
        sys.meta_path[:] = self._finders
        for name in list(sys.modules):
            if name not in self._modules:
                del sys.modules[name]
        sys.modules.update(self._modules)
        os.environ.clear()
        os.environ.update(self._environment)
        tempfile.tempdir = self._tempdir
        logging._startTime = self._log_start
        shutil.rmtree(self.folder)

    def setup_record(self, **changes):
        values = dict.fromkeys(PARAMETERS, "")
        values.update(
            HardwareID="12",
            HomeFolder=self.folder,
            Port="0",
            Name="HW",
            Key="K",
            DomoticzBuildTime="2026-01-01 00:00:00",
        )
        record = {
            "framework": "domoticz",
            "name": "HW",
            "hardware_id": 12,
            "key": "K",
            "plugin_folder": self.folder,
            "data_folder": self.folder,
            "parameters": list(values.items()),
            "settings": [("Language", "en")],
            "environment": [("LANG", "C.UTF-8")],
            "started_at": 1795000000,
            "utc_offset": 3600,
            "time_zone": "",
            "modules": self.modules(),
            "packages": False,
            "code": None,
        }
        record.update(changes)
        return record

    def modules(self):
        """Names of modules in the plugin's folder, as the hub lists them."""
        return [
            name[:-3] if name.endswith(".py") else name
            for name in os.listdir(self.folder)
            if name.endswith(".py") or os.path.isfile(self.folder + name + "/__init__.py")
        ]

    def write(self, name, text):
        path = self.folder + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def load(self, source, **changes):
        """Imports the plugin; returns the outcome."""
        self.write("plugin.py", source)
        record = self.setup_record(**changes)
        self.restore(record)
        outcome = self.runtime.start(record)
        self.plugin = sys.modules.get("plugin")
        return outcome

    def begin(self, source="", api="import Domoticz", **changes):
        """Imports the plugin, calls onStart, forgets the log; returns the module."""
        self.assertEqual(self.load(api + "\n" + source, **changes), OK)
        self.assertIn(self.deliver("started"), (OK, NOT_DEFINED))
        self.hub.records.clear()
        self.domoticz = self.plugin.Domoticz
        return self.plugin

    def deliver(self, kind, *args):
        return self.runtime.deliver(kind, *args)

    def lines(self, level=None, origin=None):
        """Texts of the log with this level and origin."""
        return [
            text
            for its_level, its_origin, text in self.hub.records
            if level in (None, its_level) and origin in (None, its_origin)
        ]

    def errors(self):
        return self.lines(ERROR, HARDWARE)

    def core_errors(self):
        return self.lines(ERROR, CORE)

    def normals(self):
        return self.lines(NORMAL, HARDWARE)

    def assertError(self, part):
        self.assertTrue(any(part in line for line in self.errors()), self.hub.records)

    def assertCoreError(self, part):
        self.assertTrue(any(part in line for line in self.core_errors()), self.hub.records)

    def assertQuiet(self):
        self.assertEqual(self.hub.records, [])
