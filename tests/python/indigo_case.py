"""A test case that runs one Indigo plugin against the fake server.

Owns a fresh copy of the runtime for every test and puts the interpreter back as it
was afterwards.
"""

import builtins
import importlib
import json
import logging
import os
import shutil
import sys
import tempfile
import unittest
import warnings

from fake_indigo import FakeIndigo
from plugin_case import _SAVED_SYS, NOT_DEFINED, OK, RAISED, runtime_on_path

__all__ = ["IndigoCase", "NOT_DEFINED", "OK", "RAISED"]

OWN = ("_cordon", "indigo")


class IndigoCase(unittest.TestCase):
    maxDiff = None

    plugin = None

    def setUp(self):
        self._modules = dict(sys.modules)
        self._path = list(sys.path)
        self._finders = list(sys.meta_path)
        self._environment = dict(os.environ)
        self._folder = os.getcwd()
        self._sys = {name: getattr(sys, name) for name in _SAVED_SYS if hasattr(sys, name)}
        self._tempdir = tempfile.tempdir
        self._log_start = logging._startTime
        self._filters = list(warnings.filters)
        self._show_warning = warnings.showwarning
        self.root = tempfile.mkdtemp() + "/"
        self.folder = self.root + "Contents/Server Plugin/"
        os.makedirs(self.folder)
        self.addCleanup(self._put_back)
        for name in list(sys.modules):
            if name.partition(".")[0] in OWN or name.startswith("_cordon") or name == "plugin":
                del sys.modules[name]
        self.server = FakeIndigo()
        sys.modules["_cordon"] = self.server.module()
        # In the component the runtime's modules are on no path.
        with runtime_on_path():
            self.runtime = importlib.import_module("_cordon_indigo")
            self.indigo = sys.modules["indigo"]
            # This has happened before every snapshot.
            importlib.import_module("_cordon_boot").forget()
            self.restore = importlib.import_module("_cordon_restore").restore

    def _put_back(self):
        thread = sys.modules.get("_cordon_indigo_thread")
        if self.plugin is not None:
            self.plugin._stop_event.set()
            thread.wait(5)
        logger = logging.getLogger("Plugin")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        if hasattr(builtins, "indigo"):
            del builtins.indigo
        os.chdir(self._folder)
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
        warnings.filters[:] = self._filters
        warnings.showwarning = self._show_warning
        shutil.rmtree(self.root)

    def setup_record(self, prefs=None, **changes):
        parameters = {
            "pluginVersion": "1.0.0",
            "serverPluginFolder": self.folder[:-1],
            "serverVersion": "2025.2",
            "apiVersion": "3.8",
            "installFolder": "/indigo",
            "logFolder": self.root + "Logs",
            "pluginFolder": self.root[:-1],
            "pluginSupportURL": "https://example.org/",
            "pluginPrefs": json.dumps(prefs or {}),
        }
        record = {
            "framework": "indigo",
            "name": "Test",
            "hardware_id": 1,
            "key": "com.test",
            "plugin_folder": self.root,
            "data_folder": self.root + "data/",
            "parameters": list(parameters.items()),
            "settings": [],
            "environment": [("LANG", "C.UTF-8")],
            "started_at": 1795000000,
            "utc_offset": 3600,
            "time_zone": "",
            "modules": self.local_modules(),
            "packages": False,
            "code": None,
        }
        record.update(changes)
        return record

    def local_modules(self):
        return [name[:-3] for name in os.listdir(self.folder) if name.endswith(".py")]

    def write(self, name, text):
        with open(self.folder + name, "w", encoding="utf-8") as file:
            file.write(text)

    def load(self, source, **changes):
        """Starts a plugin with this whole source; returns the outcome."""
        self.write("plugin.py", source)
        record = self.setup_record(**changes)
        self.restore(record)
        outcome = self.runtime.start(record)
        self.plugin = self.indigo.activePlugin
        return outcome

    def begin(self, body="    pass\n", before="", **changes):
        """Starts a plugin whose class has this body; returns its object."""
        source = before + "class Plugin(indigo.PluginBase):\n" + body
        self.assertEqual(self.load(source, **changes), OK, self.server.events)
        return self.plugin

    def call(self, name, **arguments):
        """Calls the plugin; returns the outcome. `answer` has the reply."""
        self.server.replies.clear()
        return self.runtime.call(name, json.dumps(arguments))

    @property
    def answer(self):
        # The last one counts.
        self.assertTrue(self.server.replies)
        return self.server.replies[-1]

    def ok(self, name, **arguments):
        """Calls the plugin, which has to succeed; returns its answer."""
        self.assertEqual(self.call(name, **arguments), OK, self.server.events)
        return self.answer

    def event_log(self):
        return [(event["type"], event["message"]) for event in self.server.events]

    def asked(self, name):
        """The arguments of every such command that the server was given."""
        return [arguments for command, arguments in self.server.calls if command == name]
