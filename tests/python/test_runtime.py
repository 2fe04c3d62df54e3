"""The surroundings of the API: output streams, snapshot, imports, local time."""

import importlib
import os
import random
import subprocess
import sys
import tempfile
import time
import types
import uuid

from plugin_case import ERROR, HARDWARE, NORMAL, OK, RUNTIME, PluginCase, runtime_on_path


class Output(PluginCase):
    def test_print_makes_a_record_per_line(self):
        self.begin(
            "def onHeartbeat():\n    print('a\\nb', 3)\n    print('half', end='')\n"
            "    print(' line')\n    print()\n"
        )
        self.deliver("heartbeat")
        self.assertEqual(
            self.hub.records, [(NORMAL, HARDWARE, text) for text in ("a", "b 3", "half line", "")]
        )

    def test_half_a_line_is_written_when_the_call_ends(self):
        self.begin(
            "import sys\ndef onHeartbeat():\n    print('open', end='', flush=True)\n"
            "    sys.stderr.write('err')\n    seen.append(list(log))\n"
        )
        self.plugin.seen = []
        self.plugin.log = self.hub.records
        self.deliver("heartbeat")
        self.assertEqual(self.plugin.seen, [[]])
        self.assertEqual(self.hub.records, [(NORMAL, HARDWARE, "open"), (ERROR, HARDWARE, "err")])

    def test_output_at_import_is_written_too(self):
        self.assertEqual(self.load("import Domoticz\nprint('early', end='')\n"), OK)
        self.assertEqual(self.hub.records[0], (NORMAL, HARDWARE, "early"))

    def test_long_lines_are_split(self):
        self.begin(
            "def onHeartbeat():\n    for _ in range(100):\n"
            "        print('x' * 100, end='')\n    print('y' * 10000)\n"
        )
        self.deliver("heartbeat")
        limit = __import__("_cordon_stdio").LINE_LIMIT
        self.assertTrue(all(len(text) <= limit for _, _, text in self.hub.records))
        self.assertEqual(
            "".join(text for _, _, text in self.hub.records), "x" * 10000 + "y" * 10000
        )

    def test_bytes_and_input(self):
        self.begin(
            "import sys\ndef onHeartbeat():\n    sys.stdout.buffer.write(b'by\\xfftes\\n')\n"
            "    global rest\n    rest = sys.stdin.read()\n    input()\n"
        )
        self.deliver("heartbeat")
        self.assertEqual(self.normals(), ["by\ufffdtes"])
        self.assertEqual(self.plugin.rest, "")
        self.assertTrue(self.errors()[-1].startswith("EOFError"))

    def test_two_threads_do_not_mix_their_lines(self):
        self.begin(
            "import threading\ndef onHeartbeat():\n    print('main ', end='')\n"
            "    t = threading.Thread(target=print, args=('other',))\n    t.start()\n    t.join()\n"
            "    print('line')\n"
        )
        self.deliver("heartbeat")
        self.assertEqual(self.normals(), ["other", "main line"])

    def test_logging_without_a_handler_reaches_the_log(self):
        self.begin(
            "import logging\ndef onHeartbeat():\n    logging.getLogger('x').warning('careful')\n"
        )
        self.deliver("heartbeat")
        self.assertEqual(self.errors(), ["careful"])


class Restore(PluginCase):
    def renew(self, **changes):
        """A snapshot and an instance of it."""
        sys.modules["_cordon_boot"].forget()
        self.restore(self.setup_record(**changes))

    def test_random_numbers_are_drawn_anew(self):
        random.seed(1)
        state = random.getstate()
        self.renew()
        first = [random.random() for _ in range(4)]
        random.setstate(state)
        self.renew()
        self.assertNotEqual(first, [random.random() for _ in range(4)])

    def test_identifiers_forget_their_sequences(self):
        uuid._node = 5
        uuid._last_timestamp = 2**62
        self.renew()
        self.assertIsNone(uuid._node)
        self.assertIsNone(uuid._last_timestamp)

    def test_temporary_files_go_into_their_folder(self):
        tempfile._get_candidate_names()
        before = tempfile._name_sequence
        self.renew()
        self.assertEqual(tempfile.gettempdir(), "/tmp")
        self.assertIsNot(tempfile._get_candidate_names(), before)

    def test_log_times_count_from_the_start(self):
        import logging

        logging._startTime = 0
        self.renew()
        record = logging.LogRecord("n", 20, "f", 1, "m", (), None)
        self.assertLess(record.relativeCreated, 60_000)

    def test_the_process_shows_nothing_of_the_builder(self):
        sys.argv = ["/home/builder/x"]
        os.environ["BUILDER"] = "x"
        self.renew(environment=[("A", "1"), ("HOME", "/x")], time_zone="Asia/Tokyo")
        self.assertEqual((sys.argv, sys.executable), ([""], "/usr/local/bin/python3"))
        self.assertEqual(
            (os.environ["A"], os.environ["HOME"], os.environ["TZ"], os.environ["TMPDIR"]),
            ("1", "/x", "Asia/Tokyo", "/tmp"),
        )
        self.assertNotIn("BUILDER", os.environ)
        self.assertTrue(sys.dont_write_bytecode)

    def test_two_instances_of_one_snapshot_differ(self):
        # A fork stands for the snapshot: both children have the same state.
        script = (
            "import os, sys, types\n"
            "sys.path[:0] = %r\n"
            "hub = types.ModuleType('_cordon')\n"
            "hub.log = lambda *args: None\n"
            "sys.modules['_cordon'] = hub\n"
            "sys.modules['_cordon_processes'] = types.ModuleType('_cordon_processes')\n"
            "descriptors = types.ModuleType('_cordon_descriptor')\n"
            "descriptors.install = lambda: None\n"
            "sys.modules['_cordon_descriptor'] = descriptors\n"
            "sys.modules['_cordon_epoll'] = sys.modules['_cordon_transfer'] = descriptors\n"
            "fork = os.fork\n"
            "import _cordon_boot, _cordon_restore\n"
            "streams = sys.stdout, sys.stderr\n"
            "_cordon_boot.init()\n"
            "sys.stdout, sys.stderr = streams\n"
            "import random, uuid, gc\n"
            "random.random()\n"
            "record = {'environment': [], 'utc_offset': 0, 'time_zone': '', 'data_folder': '/x/'}\n"
            "for _ in range(2):\n"
            "    reader, writer = os.pipe()\n"
            "    if fork() == 0:\n"
            "        _cordon_restore.restore(record)\n"
            "        os.write(writer, repr((random.random(), uuid.uuid4().hex)).encode())\n"
            "        os._exit(0)\n"
            "    os.wait()\n"
            "    print(os.read(reader, 999).decode())\n"
            "print(gc.get_freeze_count() > 1000, gc.get_threshold())\n"
            "print(sorted(_cordon_boot.not_preloaded))\n"
            "print([name for name in ('multiprocessing.process', 'zoneinfo') if name in sys.modules])\n"
        ) % (RUNTIME,)
        done = subprocess.run(
            [self._sys["executable"], "-c", script], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.stderr, "")
        first, second, collector, missing, private = done.stdout.strip().split("\n")
        self.assertNotEqual(first, second)
        self.assertEqual(collector, "True (50000, 20, 100)")
        self.assertEqual(missing, "[]")
        # The one makes a secret key when it is imported, the other reads the environment:
        # in the snapshot they would be the same for all, and nothing renews them.
        self.assertEqual(private, "[]")


class Frameworks(PluginCase):
    """Which module the hub's calls go to."""

    def runtime_of(self, framework):
        with runtime_on_path():
            runtime = importlib.import_module("_cordon_runtime")
        started = runtime.start(self.setup_record(framework=framework))
        return runtime, started

    def test_a_framework_that_is_no_part_of_the_runtime_lies_in_the_plugins_folder(self):
        self.write(
            "cordon_framework_toy.py",
            "calls = []\n"
            "def start(setup):\n    return 7 if setup['framework'] == 'toy' else 0\n"
            "def deliver(kind, *arguments):\n    return 0\n"
            "def call(name, arguments):\n    calls.append((name, arguments))\n    return 0\n",
        )
        runtime, started = self.runtime_of("toy")
        self.assertEqual(started, 7)
        self.assertEqual(runtime.call("greet", "{}"), 0)
        self.assertEqual(sys.modules["cordon_framework_toy"].calls, [("greet", "{}")])

    def test_an_unknown_framework_is_an_error_that_names_its_module(self):
        with self.assertRaisesRegex(ModuleNotFoundError, "cordon_framework_nobody"):
            self.runtime_of("nobody")


class Imports(PluginCase):
    def test_the_api_counts_only_when_the_plugin_imports_it(self):
        importer = importlib.import_module("_cordon_importer")
        importlib.import_module("Domoticz")
        apis = {name: sys.modules[name] for name in ("Domoticz", "DomoticzEx")}
        importer.install(apis, self.folder, {"modules": [], "packages": False})
        self.assertEqual(importer.imported(), [])
        importlib.import_module("Domoticz")
        self.assertEqual(importer.imported(), ["Domoticz"])

    def test_the_api_is_one_module_however_often_it_is_imported(self):
        self.begin(
            "import sys\nfirst = Domoticz\ndel sys.modules['Domoticz']\n"
            "import Domoticz\nfrom Domoticz import *\nhere = dir()\n"
        )
        self.assertIs(self.plugin.first, self.plugin.Domoticz)
        self.assertIs(self.plugin.Log, self.plugin.Domoticz.Log)
        self.assertNotIn("_hub", self.plugin.here)

    def test_a_frozen_library_does_not_go_before_the_plugin(self):
        self.write("colorsys.py", "mine = True\n")
        loader = importlib.import_module("_cordon_loader")
        finder = loader.PluginFinder([self.folder], self.modules(), ())
        self.assertEqual(finder.find_spec("colorsys").origin, self.folder + "colorsys.py")
        self.assertIsNone(finder.find_spec("json"))
        self.assertIsNone(finder.find_spec("parts.colorsys", ["/parts"]))

    def test_packages_of_the_plugin_are_importable(self):
        self.write("parts/__init__.py", "from . import one\n")
        self.write("parts/one.py", "value = 5\n")
        self.begin("from parts.one import value\n")
        self.assertEqual(self.plugin.value, 5)

    def test_the_runtime_cannot_be_replaced_by_the_plugin(self):
        self.write("_cordon_log.py", "raise RuntimeError\n")
        self.write("Domoticz.py", "raise RuntimeError\n")
        self.write("sys.py", "raise RuntimeError\n")
        self.begin("import sys\n")
        self.assertIs(self.plugin.sys, sys)


class Clock(PluginCase):
    NOW = 1795000000.5

    def zoneless(self):
        """The clock module over a `time` without zones, as WASI has it."""
        names = ("time", "gmtime", "strftime", "asctime", "struct_time", "monotonic")
        bare = types.ModuleType("time")
        for name in names:
            setattr(bare, name, getattr(time, name))
        bare.time = lambda: self.NOW
        sys.modules["time"] = bare
        with runtime_on_path():
            clock = importlib.import_module("_cordon_clock")
        sys.modules["time"] = time
        return bare, clock

    def test_a_platform_with_zones_is_left_alone(self):
        before = (time.localtime, time.tzname, time.timezone)
        clock = importlib.import_module("_cordon_clock")
        self.assertIs(clock.install(), False)
        clock.set_zone("Asia/Tokyo", 32400)
        self.assertEqual((time.localtime, time.tzname, time.timezone), before)

    def test_the_zone_is_that_of_the_environment_or_the_hubs(self):
        sys.modules.pop("_cordon_clock")
        asked = []
        zone = types.ModuleType("_cordon_zone")
        zone.set_zone = lambda name: asked.append(name) or name == "Asia/Tokyo"
        zone.set_offset = asked.append
        zone.constants = lambda year: (-32400, -32400, 0, ("JST", "JST"))
        zone.localtime = zone.mktime = None
        sys.modules["_cordon_zone"] = zone
        bare, clock = self.zoneless()
        self.assertIs(clock.install(), True)
        del asked[:]
        os.environ.pop("TZ", None)
        clock.set_zone("Asia/Tokyo", 32400)
        self.assertEqual(
            (asked, bare.tzname, bare.timezone), (["Asia/Tokyo"], ("JST", "JST"), -32400)
        )
        clock.set_zone("", 7200)
        self.assertEqual(asked[1:], [7200])
        os.environ["TZ"] = "No/Such"
        bare.tzset()
        self.assertEqual(asked[2:], ["No/Such", 0])
