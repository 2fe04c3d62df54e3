"""The log of an Indigo plugin (plugin reference, "Logging")."""

import logging
import logging.handlers
import re
import time
import types
import unittest

from indigo_case import IndigoCase


class Log(IndigoCase):
    def file_lines(self):
        with open(self.root + "Logs/com.test/plugin.log", encoding="utf-8") as file:
            return file.read().split("\n")[:-1]

    def test_the_logger_and_its_handlers(self):
        plugin = self.begin()
        self.assertIs(plugin.logger, logging.getLogger("Plugin"))
        self.assertEqual((plugin.logger.name, plugin.logger.level), ("Plugin", logging.DEBUG))
        self.assertEqual(
            plugin.logger.handlers, [plugin.indigo_log_handler, plugin.plugin_file_handler]
        )
        self.assertEqual(plugin.indigo_log_handler.level, logging.INFO)
        self.assertEqual(plugin.plugin_file_handler.level, logging.DEBUG)
        handler = plugin.plugin_file_handler
        self.assertIsInstance(handler, logging.handlers.TimedRotatingFileHandler)
        self.assertEqual((handler.when, handler.backupCount), ("MIDNIGHT", 20))
        self.assertIsInstance(plugin.indigo_log_handler, plugin.IndigoLogHandler)

    def test_levels_in_the_event_log(self):
        plugin = self.begin()
        plugin.debug = True
        for level in ("debug", "info", "warning", "error", "critical"):
            getattr(plugin.logger, level)("a %s", level)
        self.assertEqual(
            self.event_log(),
            [
                ("Test Debug", "a debug"),
                ("Test", "a info"),
                ("Test Warning", "a warning"),
                ("Test Error", "a error"),
                ("Test Error", "a critical"),
            ],
        )
        self.assertEqual([e["level"] for e in self.server.events], [10, 20, 30, 40, 50])
        self.assertEqual(
            [e["isError"] for e in self.server.events], [False, False, False, True, True]
        )

    def test_the_lines_of_the_file(self):
        plugin = self.begin(
            "    def act(self):\n        self.logger.debug('é %d', 5)\n"
            "        self.logger.warning('w')\n"
        )
        self.ok("plugin.act", kind="menu", args=[])
        first, second = self.file_lines()
        self.assertRegex(
            first, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\tDEBUG\tPlugin\.act:\té 5$"
        )
        self.assertTrue(second.endswith("\tWARNING\tPlugin.act:\tw"))
        self.assertTrue(plugin)

    def test_a_new_file_each_midnight(self):
        plugin = self.begin()
        plugin.logger.info("one")
        plugin.plugin_file_handler.rolloverAt = int(time.time()) - 1
        plugin.logger.info("two")
        self.assertTrue(self.file_lines()[0].endswith("two"))
        import os

        names = sorted(os.listdir(self.root + "Logs/com.test"))
        self.assertEqual(len(names), 2)
        self.assertRegex(names[1], r"^plugin\.log\.\d{4}-\d\d-\d\d$")

    def test_the_debug_property(self):
        plugin = self.begin()
        self.assertFalse(plugin.debug)
        plugin.debugLog("hidden")
        self.assertEqual(self.server.events, [])
        plugin.debug = True
        self.assertEqual((plugin.debug, plugin.indigo_log_handler.level), (True, logging.DEBUG))
        plugin.debugLog("shown")
        plugin.debug = False
        self.assertEqual(plugin.indigo_log_handler.level, logging.INFO)
        self.assertEqual(self.event_log(), [("Test Debug", "shown")])
        self.assertEqual(len(self.file_lines()), 2)

    def test_the_level_property(self):
        plugin = self.begin()
        plugin.logLevel = logging.WARNING
        self.assertEqual(plugin.indigo_log_handler.level, logging.WARNING)
        plugin.logLevel = "30"
        self.assertEqual((plugin.logLevel, plugin.indigo_log_handler.level), ("30", 30))

    def test_the_old_functions(self):
        plugin = self.begin(
            "    def act(self):\n        self.errorLog('e')\n        try:\n"
            "            1 / 0\n        except Exception:\n"
            "            self.exceptionLog('x')\n"
        )
        self.ok("plugin.act", kind="menu", args=[])
        self.assertEqual(self.event_log()[0], ("Test Error", "e"))
        self.assertRegex(self.event_log()[1][1], r"^x\nTraceback[\s\S]*ZeroDivisionError")
        self.assertIn("Plugin.act:", self.file_lines()[0])
        self.assertTrue(plugin)

    def test_exceptions_with_a_message(self):
        plugin = self.begin()
        try:
            raise ZeroDivisionError("division by zero")
        except ZeroDivisionError:
            plugin.logger.critical("bad", exc_info=True)
            plugin.logger.exception("worse")
        for (title, text), word in zip(self.event_log(), ("bad", "worse")):
            self.assertEqual(title, "Test Error")
            self.assertTrue(text.startswith(word + "\nTraceback"))
            self.assertTrue(text.endswith("ZeroDivisionError: division by zero"))

    def test_threaddebug(self):
        plugin = self.begin("    def act(self):\n        self.logger.threaddebug('t %d', 1)\n")
        self.ok("plugin.act", kind="menu", args=[])
        self.assertEqual(self.server.events, [])
        plugin.logger.setLevel(5)
        plugin.plugin_file_handler.setLevel(5)
        plugin.indigo_log_handler.setLevel(5)
        self.ok("plugin.act", kind="menu", args=[])
        self.assertEqual(self.event_log(), [("Test Debug", "t 1")])
        self.assertRegex(self.file_lines()[-1], r"\tTHREADDEBUG\tPlugin\.act:\tt 1$")
        self.assertEqual(logging.THREADDEBUG, 5)

    def test_levels_of_the_handlers_alone(self):
        """Eleven published plugins set no other."""
        plugin = self.begin()
        plugin.indigo_log_handler.setLevel(logging.THREADDEBUG)
        plugin.plugin_file_handler.setLevel("THREADDEBUG")
        self.assertEqual(plugin.logger.level, logging.THREADDEBUG)
        plugin.logger.threaddebug("one %d", 1)
        logging.getLogger("Plugin.part").threaddebug("two")
        self.assertEqual(self.event_log(), [("Test Debug", "one 1"), ("Test Debug", "two")])
        self.assertEqual(len(self.file_lines()), 2)
        # A level of the logger that the plugin chose itself stays.
        plugin.logger.setLevel(logging.INFO)
        plugin.indigo_log_handler.setLevel(logging.NOTSET)
        self.assertEqual(plugin.logger.level, logging.INFO)

    def test_a_wrong_placeholder_is_told_as_such(self):
        plugin = self.begin()
        plugin.logger.info("a bad %d %s", 1)
        plugin.logger.debug("another %d", "x")
        plugin.logger.info("after it")
        (first, one), (second, two), last = self.event_log()
        self.assertEqual((first, second, last), ("Test Error", "Test Error", ("Test", "after it")))
        self.assertIn("test_a_wrong_placeholder_is_told_as_such of test_indigo_log.py, line", one)
        self.assertIn("'a bad %d %s' with (1,): TypeError: not enough arguments", one)
        self.assertIn("'another %d'", two)
        self.assertEqual(len(self.file_lines()), 1)

        # It does not silence the word about a file that cannot be written.
        def full(text):
            raise OSError(28, "no room")

        plugin.plugin_file_handler.stream = types.SimpleNamespace(
            write=full, flush=lambda: None, close=lambda: None
        )
        plugin.logger.info("unwritten")
        plugin.logger.info("unwritten too")
        told = [text for _, text in self.event_log() if "cannot be written" in text]
        self.assertEqual(len(told), 3)
        self.assertIn("log file cannot be written", told[2])

    def test_a_warning_of_python_is_no_error(self):
        import warnings

        self.begin()
        warnings.warn("old ways", UserWarning, stacklevel=1)
        ((title, text),) = self.event_log()
        self.assertEqual(title, "Test Warning")
        self.assertIn("UserWarning: old ways", text)

    def test_a_title_of_its_own(self):
        plugin = self.begin()
        logger = logging.getLogger("MyModule")
        handler = plugin.IndigoLogHandler("MyModule", logging.DEBUG)
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)
        logger.setLevel(logging.DEBUG)
        logger.debug("hello")
        self.assertEqual(self.event_log(), [("MyModule Debug", "hello")])

    def test_loggers_of_other_modules(self):
        self.begin()
        logging.getLogger("Plugin").info("one")
        logging.getLogger("Plugin.helper").info("two")
        self.assertEqual(self.event_log(), [("Test", "one"), ("Test", "two")])
        self.assertIn("Plugin.helper.", self.file_lines()[1])

    def test_a_format_of_the_plugins_own(self):
        plugin = self.begin()
        plugin.plugin_file_handler.setFormatter(
            logging.Formatter(
                "%(asctime)s.%(msecs)03d\t%(levelname)-10s\t%(name)s.%(funcName)-28s %(message)s",
                datefmt="%Y-%m-%d %H:%M:%S",
            )
        )
        plugin.logger.info("x")
        self.assertTrue(re.search(r"\tINFO      \tPlugin\.\w+ +x$", self.file_lines()[0]))

    def test_a_folder_that_cannot_be_made(self):
        import os

        os.makedirs(self.root + "Logs")
        with open(self.root + "Logs/com.test", "w"):
            pass
        plugin = self.begin()
        self.assertIn("no log file", self.event_log()[0][1])
        plugin.plugin_file_handler.setLevel(logging.INFO)
        plugin.logger.info("still there")
        self.assertEqual(self.event_log()[-1], ("Test", "still there"))

    def test_a_server_that_does_not_take_lines(self):
        def fail(arguments):
            from fake_indigo import Failure

            raise Failure("limit", "full")

        plugin = self.begin()
        self.server.answers["server.log"] = fail
        plugin.logger.error("kept")
        self.assertEqual(self.server.records, [(2, 0, "kept")])


if __name__ == "__main__":
    unittest.main()
