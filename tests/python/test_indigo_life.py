"""Start and end of an Indigo plugin (plugin reference, "General Plugin Methods")."""

import builtins
import hashlib
import os
import sys
import threading
import time
import unittest
import unittest.mock

from indigo_case import NOT_DEFINED, OK, RAISED, IndigoCase

WAIT = 5.0


class Start(IndigoCase):
    def test_indigo_is_a_builtin_name_and_importable(self):
        self.write("helper.py", "seen = indigo.PluginBase\n")
        self.begin(before="import helper\nimport indigo as named\nassert named is indigo\n")
        self.assertIs(sys.modules["helper"].seen, self.indigo.PluginBase)

    def test_the_constructor_gets_four_parameters(self):
        plugin = self.begin(
            "    def __init__(self, pluginId, pluginDisplayName, pluginVersion, pluginPrefs):\n"
            "        super().__init__(pluginId, pluginDisplayName, pluginVersion, pluginPrefs)\n"
            "        self.got = (pluginId, pluginDisplayName, pluginVersion, pluginPrefs)\n",
            prefs={"a": "1"},
        )
        self.assertEqual(plugin.got[:3], ("com.test", "Test", "1.0.0"))
        self.assertIsInstance(plugin.got[3], self.indigo.Dict)
        self.assertEqual(plugin.pluginPrefs["a"], "1")
        self.assertEqual((plugin.pluginId, plugin.plugin_id), ("com.test", "com.test"))
        self.assertEqual((plugin.pluginDisplayName, plugin.pluginVersion), ("Test", "1.0.0"))

    def test_other_shapes_of_the_constructor(self):
        for header, call in (
            ("self, a, b, c, d, **kwargs", "a, b, c, d, **kwargs"),
            ("self, *args, **kwargs", "*args, **kwargs"),
            ("self, pluginPrefs", "pluginPrefs"),
            (
                "self, plugin_id, plugin_display_name, plugin_version, plugin_prefs",
                "plugin_id=plugin_id, plugin_display_name=plugin_display_name,"
                " plugin_version=plugin_version, plugin_prefs=plugin_prefs",
            ),
        ):
            with self.subTest(header):
                plugin = self.begin(
                    "    def __init__(%s):\n"
                    "        indigo.PluginBase.__init__(self, %s)\n" % (header, call),
                    prefs={"k": "v"},
                )
                self.assertEqual(plugin.pluginPrefs.to_dict(), {"k": "v"})
                self.assertEqual(plugin.pluginId, "com.test")

    def test_a_plugin_that_does_not_call_the_base_constructor(self):
        plugin = self.begin(
            "    def __init__(self, a, b, c, d):\n        self.debug = True\n"
            "    def startup(self):\n        self.logger.debug('here')\n"
        )
        self.assertEqual(self.ok("startup"), {"ok": True, "message": None})
        self.assertEqual(self.event_log(), [("Test Debug", "here")])
        self.assertEqual(plugin.pluginId, "com.test")

    def test_properties_of_the_instance(self):
        plugin = self.begin()
        self.assertEqual(plugin.pluginFolderPath, self.root[:-1])
        self.assertEqual(plugin.pluginSupportURL, "https://example.org/")
        self.assertIs(self.indigo.activePlugin, plugin)
        self.assertEqual(os.getcwd(), os.path.realpath(self.folder))

    def test_an_exception_in_the_constructor_is_logged(self):
        self.assertEqual(
            self.load(
                "class Plugin(indigo.PluginBase):\n    def __init__(self, *a):\n        1 / 0\n"
            ),
            RAISED,
        )
        title, text = self.event_log()[-1]
        self.assertEqual(title, "Test Error")
        self.assertIn("ZeroDivisionError", text)
        self.assertIn("plugin.py", text)
        self.assertNotIn("_cordon", text)
        self.assertIsNone(self.indigo.activePlugin)
        self.assertEqual(self.call("startup"), NOT_DEFINED)

    def test_a_plugin_without_the_class_is_refused(self):
        self.assertEqual(self.load("class Plugin:\n    pass\n"), RAISED)
        self.assertIn("derived from indigo.PluginBase", self.event_log()[-1][1])

    def test_a_missing_plugin_file_is_logged(self):
        self.assertEqual(self.runtime.start(self.setup_record()), RAISED)
        self.assertIn("FileNotFoundError", self.event_log()[-1][1])

    def test_compiled_code_is_kept_and_used(self):
        self.begin("    pass\n")
        source_hash, _ = self.server.kept_code
        with open(self.folder + "plugin.py", "rb") as file:
            self.assertEqual(source_hash, hashlib.sha256(file.read()).hexdigest())

    def test_folders_of_the_installation_are_there(self):
        record = self.setup_record()
        record["parameters"].append(("preferencesFolder", self.root + "Preferences/Plugins"))
        self.write("plugin.py", "class Plugin(indigo.PluginBase):\n    pass\n")
        self.assertEqual(self.runtime.start(record), OK)
        self.assertTrue(os.path.isdir(self.root + "Preferences/Plugins"))

    def test_warnings_of_the_compiler_are_nobodys_business(self):
        self.begin("    same = 1 is 1\n")
        self.assertEqual(self.server.records, [])

    def test_the_other_frameworks_modules_are_out_of_reach(self):
        plugin = self.begin("    def look(self, name):\n        __import__(name)\n")
        for name in ("Domoticz", "DomoticzEx"):
            with self.assertRaisesRegex(ModuleNotFoundError, "this is an Indigo plugin") as raised:
                plugin.look(name)
            self.assertEqual(raised.exception.name, name)

    def test_a_file_of_the_plugins_own_may_have_such_a_name(self):
        self.write("Domoticz.py", "own = True\n")
        plugin = self.begin(
            "    def look(self):\n        import Domoticz\n        return Domoticz.own\n"
        )
        self.assertTrue(plugin.look())

    def test_python_2_is_named(self):
        body = "class Plugin(indigo.PluginBase):\n    pass\n"
        for source in (
            "import urllib2\n" + body,
            "print 'hello'\n" + body,
            "try:\n    pass\nexcept Exception, e:\n    pass\n" + body,
            body + "unicode('x')\n",
        ):
            with self.subTest(source):
                self.assertEqual(self.load(source), RAISED)
                self.assertIn("written for Python 2", self.event_log()[-1][1])
        self.assertEqual(self.load("import nothing_of_that_name\n"), RAISED)
        self.assertNotIn("Python 2", self.event_log()[-1][1])

    def test_the_module_is_out_of_reach_before(self):
        # The snapshot does this for the sake of plugins of the other framework.
        self.runtime.hide()
        self.assertNotIn("indigo", sys.modules)
        self.assertNotIn("indigo._device", sys.modules)
        self.assertFalse(hasattr(builtins, "indigo"))
        self.begin()
        self.assertIs(sys.modules["indigo"], self.indigo)


class Startup(IndigoCase):
    def startup(self, line):
        self.begin("    def startup(self):\n        %s\n" % line)
        return self.ok("startup")

    def test_the_results_that_start_the_plugin(self):
        for line in ("pass", "return None", "return True"):
            with self.subTest(line):
                self.assertEqual(self.startup(line), {"ok": True, "message": None})

    def test_the_results_that_stop_it(self):
        self.assertEqual(
            self.startup("return 'no licence'"), {"ok": False, "message": "no licence"}
        )
        for line in ("return False", "return 0", "return [1]"):
            with self.subTest(line):
                answer = self.startup(line)
                self.assertFalse(answer["ok"])
                self.assertIn("startup()", answer["message"])

    def test_a_plugin_without_startup_starts(self):
        self.begin()
        self.assertEqual(self.ok("startup"), {"ok": True, "message": None})

    def test_an_exception_is_logged_and_told(self):
        self.begin("    def startup(self):\n        raise ValueError('bad')\n")
        self.assertEqual(self.call("startup"), RAISED)
        self.assertEqual((self.answer["type"], self.answer["message"]), ("ValueError", "bad"))
        self.assertIn("line 3", self.answer["traceback"])

    def test_flags_of_the_phases(self):
        plugin = self.begin(
            "    def startup(self):\n        self.seen = self.pluginIsInitializing\n"
        )
        self.ok("startup")
        self.assertTrue(plugin.seen)
        self.assertFalse(plugin.pluginIsInitializing)
        self.assertFalse(plugin.pluginIsShuttingDown)
        self.ok("stopConcurrentThread")
        self.assertTrue(plugin.pluginIsShuttingDown)


class Threads(IndigoCase):
    def wait_for(self, condition):
        until = time.monotonic() + WAIT
        while not condition():
            self.assertLess(time.monotonic(), until, self.server.events)
            time.sleep(0.005)

    def test_a_plugin_without_the_function_has_no_thread(self):
        self.begin()
        self.assertEqual(self.call("startConcurrentThread"), NOT_DEFINED)

    def test_sleep_ends_the_thread(self):
        plugin = self.begin(
            "    loops = 0\n    ended = False\n"
            "    def runConcurrentThread(self):\n"
            "        import threading\n"
            "        self.thread = threading.current_thread()\n"
            "        try:\n            while True:\n"
            "                self.loops += 1\n                self.sleep(60)\n"
            "        except self.StopThread:\n            self.ended = True\n"
        )
        self.ok("startConcurrentThread")
        self.wait_for(lambda: plugin.loops)
        self.assertIsNot(plugin.thread, threading.current_thread())
        self.ok("stopConcurrentThread")
        self.assertTrue(plugin.ended)
        self.assertFalse(plugin.thread.is_alive())
        self.assertEqual(self.server.events, [])

    def test_an_uncaught_stop_is_no_error(self):
        plugin = self.begin(
            "    def run_concurrent_thread(self):\n"
            "        self.here = True\n        self.sleep(60)\n"
        )
        self.ok("startConcurrentThread")
        self.wait_for(lambda: hasattr(plugin, "here"))
        self.ok("stop")
        self.assertEqual(self.server.events, [])

    def test_it_is_started_anew_after_an_exception(self):
        sys.modules["_cordon_indigo_thread"].PAUSE = 0.02
        plugin = self.begin(
            "    import threading\n    threads = []\n"
            "    def runConcurrentThread(self):\n"
            "        self.threads.append(self.threading.current_thread())\n"
            "        if len(self.threads) < 3:\n            1 / 0\n"
            "        self.sleep(60)\n"
        )
        self.ok("startConcurrentThread")
        self.wait_for(lambda: len(plugin.threads) == 3)
        self.assertEqual(len(set(plugin.threads)), 3)
        texts = [text for _, text in self.event_log()]
        again = [text for text in texts if "will attempt again in 10 seconds" in text]
        self.assertEqual(len(again), 2)
        self.assertIn("runConcurrentThread function returned or failed", again[0])
        self.assertEqual(sum("ZeroDivisionError" in text for text in texts), 2)
        self.assertTrue(all(title == "Test Error" for title, _ in self.event_log()))

    def test_the_pause_is_ten_seconds_and_ends_at_the_stop(self):
        self.assertEqual(sys.modules["_cordon_indigo_thread"].PAUSE, 10.0)
        self.begin("    def runConcurrentThread(self):\n        pass\n")
        self.ok("startConcurrentThread")
        self.wait_for(lambda: self.server.events)
        began = time.monotonic()
        self.ok("stopConcurrentThread")
        self.assertLess(time.monotonic() - began, WAIT)
        self.assertEqual(len(self.server.events), 1)

    def test_a_stop_of_the_plugins_own(self):
        plugin = self.begin(
            "    stopped = False\n"
            "    def stopConcurrentThread(self):\n        self.stopped = True\n"
            "    def runConcurrentThread(self):\n        self.sleep(60)\n"
        )
        self.ok("startConcurrentThread")
        self.ok("stopConcurrentThread")
        self.assertTrue(plugin.stopped and plugin.stopThread)

    def test_the_default_stop_sets_the_flag(self):
        plugin = self.begin()
        self.assertFalse(plugin.stopThread)
        plugin.sleep(0)
        plugin.stopConcurrentThread()
        self.assertTrue(plugin.stopThread)
        with self.assertRaises(plugin.StopThread):
            plugin.sleep(60)
        plugin.stopThread = False
        plugin.sleep(0.001)

    def test_a_thread_that_does_not_end_is_told(self):
        self.begin(
            "    import threading\n    gate = threading.Event()\n"
            "    def runConcurrentThread(self):\n        self.gate.wait(5)\n"
            "    def shutdown(self):\n        self.gate.set()\n"
        )
        self.ok("startConcurrentThread")
        self.ok("stopConcurrentThread", grace=0.05)
        self.assertIn("does not end", self.event_log()[-1][1])
        self.ok("shutdown")


class End(IndigoCase):
    def test_the_order(self):
        plugin = self.begin(
            "    steps = []\n"
            "    def runConcurrentThread(self):\n"
            "        try:\n            self.sleep(60)\n"
            "        finally:\n            self.steps.append('thread')\n"
            "    def stopConcurrentThread(self):\n"
            "        self.steps.append('stop')\n        super().stopConcurrentThread()\n"
            "    def shutdown(self):\n        self.steps.append('shutdown')\n"
            "    def __del__(self):\n        self.steps.append('del')\n"
            "        super().__del__()\n"
        )
        self.ok("startConcurrentThread")
        self.ok("stop")
        self.assertEqual(plugin.steps, ["stop", "thread", "shutdown", "del"])

    def test_an_exception_in_shutdown_leaves_the_rest(self):
        plugin = self.begin(
            "    def shutdown(self):\n        1 / 0\n"
            "    def __del__(self):\n        self.gone = True\n"
        )
        plugin.pluginPrefs["a"] = 1
        self.assertEqual(self.call("shutdown"), RAISED)
        self.assertTrue(plugin.gone)
        self.assertEqual(self.server.saved_prefs, [{"a": 1}])

    def test_the_hub_may_say_it_with_an_event(self):
        plugin = self.begin("    def shutdown(self):\n        self.gone = True\n")
        self.assertEqual(self.runtime.deliver("stopping"), OK)
        self.assertTrue(plugin.gone)
        self.assertEqual(self.runtime.deliver("heartbeat"), NOT_DEFINED)

    def test_the_threads_that_are_waited_for(self):
        told = []
        over = threading.Event()
        self.addCleanup(over.set)
        with unittest.mock.patch.object(
            threading, "_threading_atexits", [lambda: told.append(1)], create=True
        ):
            self.begin()
            self.enterContext(unittest.mock.patch("atexit._run_exitfuncs", lambda: told.append(2)))
            waiting = threading.Thread(target=over.wait, name="waits" * 20)
            waiting.start()
            threading.Thread(target=over.wait, name="daemon", daemon=True).start()
            self.assertEqual(self.ok("threadsLeft"), [("waits" * 20)[:60]])
            over.set()
            waiting.join()
            self.assertEqual(self.ok("threadsLeft"), [])
            self.assertEqual(self.ok("threadsLeft"), [])
        # Pools of workers hear of the end first, then registered functions run, each once.
        self.assertEqual(told, [1, 2])

    def test_sleep_and_waking_up(self):
        own = self.server.device(name="own")
        self.server.device(name="off", enabled=False)
        self.server.device(name="other", pluginId="com.other")
        self.server.add(
            "triggers",
            "PluginEventTrigger",
            name="t",
            pluginId="com.test",
            enabled=True,
            pluginTypeId="e",
        )
        plugin = self.begin(
            "    steps = []\n"
            "    def device_start_comm(self, dev):\n        self.steps.append('+' + dev.name)\n"
            "    def deviceStopComm(self, dev):\n        self.steps.append('-' + dev.name)\n"
            "    def triggerStartProcessing(self, trigger):\n"
            "        self.steps.append('+' + trigger.name)\n"
            "    def triggerStopProcessing(self, trigger):\n"
            "        self.steps.append('-' + trigger.name)\n"
        )
        self.ok("prepareToSleep")
        self.ok("wakeUp")
        self.assertEqual(plugin.steps, ["-own", "-t", "+own", "+t"])
        self.assertTrue(own)


class Preferences(IndigoCase):
    def test_changes_are_saved_at_the_end(self):
        plugin = self.begin(prefs={"a": 1})
        plugin.pluginPrefs["b"] = [1, 2]
        self.ok("shutdown")
        self.assertEqual(self.server.saved_prefs, [{"a": 1, "b": [1, 2]}])

    def test_what_did_not_change_is_not_saved(self):
        self.begin(prefs={"a": 1})
        self.ok("shutdown")
        self.assertEqual(self.server.saved_prefs, [])

    def test_changes_are_saved_now_and_then(self):
        prefs = sys.modules["indigo._prefs"]
        plugin = self.begin(
            "    def deviceStartComm(self, dev):\n"
            "        self.pluginPrefs['n'] = self.pluginPrefs.get('n', 0) + 1\n"
        )
        dev = self.server.device()
        self.ok("deviceStartComm", dev=dev)
        self.assertEqual(self.server.saved_prefs, [])
        prefs._looked -= prefs.INTERVAL
        self.ok("deviceStartComm", dev=dev)
        self.assertEqual(self.server.saved_prefs, [{"n": 2}])
        prefs._looked -= prefs.INTERVAL
        plugin.pluginPrefs["n"] = 5
        plugin.sleep(0)
        self.assertEqual(self.server.saved_prefs[-1], {"n": 5})
        # The server's question to a plugin that nobody calls.
        prefs._looked -= prefs.INTERVAL
        plugin.pluginPrefs["n"] = 6
        self.ok("flushPluginPrefs")
        self.assertEqual(self.server.saved_prefs[-1], {"n": 6})

    def test_the_plugin_saves_them_itself(self):
        plugin = self.begin(prefs={"a": 1})
        self.indigo.server.savePluginPrefs()
        plugin.savePluginPrefs()
        self.assertEqual(self.server.saved_prefs, [{"a": 1}] * 2)

    def test_a_closed_dialog_is_merged(self):
        plugin = self.begin(
            "    def closedPrefsConfigUi(self, valuesDict, userCancelled):\n"
            "        self.seen = (dict(self.pluginPrefs), userCancelled)\n",
            prefs={"kept": 1, "a": "x"},
        )
        self.assertEqual(self.ok("mergePluginPrefs", valuesDict={"a": "y"}), {"kept": 1, "a": "y"})
        self.ok("closedPrefsConfigUi", valuesDict={"a": "y"}, userCancelled=False)
        self.assertEqual(plugin.seen, ({"kept": 1, "a": "y"}, False))
        self.assertEqual(self.server.saved_prefs, [{"kept": 1, "a": "y"}])

    def test_a_key_that_could_not_be_saved_is_refused_where_it_is_set(self):
        plugin = self.begin(prefs={"kept": 1})
        for key in ("Living Room", "a/2", "1st", "-x", "", "xmlThing", "XMLx", "a:b", "gr\u00fcn"):
            with self.assertRaisesRegex(ValueError, "no key for pluginPrefs.*XML tags"):
                plugin.pluginPrefs[key] = 1
            with self.assertRaises(ValueError):
                plugin.pluginPrefs["rooms"] = [{"in": {key: 1}}]
            with self.assertRaises(ValueError):
                plugin.pluginPrefs.update({"b": 2, key: 1})
        with self.assertRaises(ValueError):
            plugin.pluginPrefs["x" * 1025] = 1
        # Also one that an indigo.Dict may have.
        with self.assertRaises(ValueError):
            plugin.pluginPrefs.update(self.indigo.Dict({"a/2": 1}))
        plugin.pluginPrefs["_under"] = plugin.pluginPrefs["A-_.9"] = {"_in": 1}
        self.ok("shutdown")
        wanted = {"kept": 1, "_under": {"_in": 1}, "A-_.9": {"_in": 1}}
        self.assertEqual(self.server.saved_prefs, [wanted])

    def test_what_is_there_already_keeps_nothing_from_being_saved(self):
        """The server decides what it can keep of these."""
        plugin = self.begin(prefs={"old key": 1})
        self.assertEqual(plugin.pluginPrefs["old key"], 1)
        plugin.pluginPrefs["important"] = 2
        self.ok("mergePluginPrefs", valuesDict={"1st field": "x"})
        wanted = {"old key": 1, "important": 2, "1st field": "x"}
        self.assertEqual(self.server.saved_prefs, [wanted])

    def test_a_value_that_cannot_be_sent_keeps_no_other_from_being_saved(self):
        plugin = self.begin()
        plugin.pluginPrefs = {"good": 1, "bad": object(), "nan": float("nan"), "text": "\ud800"}
        plugin.savePluginPrefs()
        plugin.savePluginPrefs()
        self.ok("shutdown")
        self.assertEqual(self.server.saved_prefs, [{"good": 1}] * 2)
        told = [text for _, text in self.event_log()]
        self.assertEqual(len(told), 1, told)
        for word in ("not saved with the other preferences", "'bad'", "'nan'", "'text'"):
            self.assertIn(word, told[0])

    def test_another_dictionary_in_its_place_is_saved_too(self):
        plugin = self.begin()
        plugin.pluginPrefs = self.indigo.Dict({"z": 1})
        self.ok("shutdown")
        self.assertEqual(self.server.saved_prefs, [{"z": 1}])


if __name__ == "__main__":
    unittest.main()
