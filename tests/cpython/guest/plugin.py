"""
<plugin key="CPythonTests" name="CPython's own tests" version="1.0" author="Cordon">
<params><param field="Mode1" label="unused"/></params>
</plugin>
"""
# Runs cases of CPython's test package one at a time, as the driver orders them.
#
# An order is the text of a command. Its outcome is a line of JSON in the data
# folder, because lines of the log may be dropped. The driver sends the next order
# when the callback has returned, so a case that hangs or traps is known by name.

import contextlib
import json
import os
import sys
import traceback
import types
import unittest
import warnings

FOLDER = "/data/"
RESULTS = FOLDER + "results.jsonl"
WORKING = FOLDER + "work"

# Characters of a traceback that are kept: the end says what went wrong.
KEPT = 3000

state = {}


class Result(unittest.TestResult):
    """The outcome of the running case, and of the fixtures before it."""

    def __init__(self):
        super().__init__()
        # Without it a suite of one case tears its class down behind it.
        self._testRunEntered = True
        self.outcome = None
        # Why no case runs, by the full name of the class or module, or "now".
        self.fixtures = {}

    def _note(self, test, outcome, text):
        if isinstance(test, unittest.suite._ErrorHolder):
            self.fixtures["now"] = outcome, text
        elif self.outcome is None or self.outcome[0] in ("passed", "skipped"):
            self.outcome = outcome, text

    def addSuccess(self, test):
        self._note(test, "passed", "")

    def addSkip(self, test, reason):
        self._note(test, "skipped", str(reason))

    def addError(self, test, err):
        self._note(test, "failed", self._text(err))

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._note(test, "failed", "%s: %s" % (subtest._subDescription(), self._text(err)))

    def addExpectedFailure(self, test, err):
        self._note(test, "passed", "")

    def addUnexpectedSuccess(self, test):
        self._note(test, "failed", "an expected failure passed")

    @staticmethod
    def _text(err):
        return "".join(traceback.format_exception(*err))[-KEPT:]


def onCommand(unit, command, level, color):
    order, _, argument = command.partition(" ")
    answer = {"order": command}
    try:
        os.chdir(WORKING)
    except (OSError, AttributeError):
        pass
    try:
        answer.update(ORDERS[order](argument))
    except unittest.SkipTest as reason:
        answer.update(outcome="skipped", text=str(reason))
    except BaseException:
        answer.update(outcome="failed", text=Result._text(sys.exc_info()))
    # `open` and `json` of before the tests, which may have replaced either.
    line = _dumps(answer) + "\n"
    file = _open(RESULTS, _APPEND, 0o600)
    try:
        _write(file, line.encode("utf-8", "replace"))
    finally:
        _close(file)


_dumps, _open, _write, _close = json.dumps, os.open, os.write, os.close
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def load(name):
    """Imports a module of tests; answers with the names of its cases."""
    prepare()
    if name.startswith("test_asyncio."):
        prepare_asyncio()
    if name == "test_sqlite3":
        # Two numbers are all that these tests want of it.
        numbers = types.ModuleType("_testcapi")
        numbers.INT_MAX, numbers.ULLONG_MAX = 2**31 - 1, 2**64 - 1
        sys.modules["_testcapi"] = numbers
    cases = {}
    suite = unittest.TestLoader().loadTestsFromName("test." + name)
    for case in flatten(suite):
        label = case.id().removeprefix("test." + name + ".")
        # Doctests of one module may bear one name.
        while label in cases:
            label += "'"
        cases[label] = case
    for case in cases.values():
        if type(case).__name__ == "_FailedTest":
            raise case._exception
    state.update(cases=cases, result=Result(), suite=unittest.TestSuite())
    return {"outcome": "loaded", "cases": list(cases)}


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def prepare():
    """The preparation that CPython's own runner does before a module."""
    os.makedirs(WORKING, exist_ok=True)
    os.chdir(WORKING)
    from test import support
    from test.support import import_helper, threading_helper

    # The library exists in its frozen form only.
    import_helper.frozen_modules = contextlib.nullcontext
    # The platform is called WASI, of which these functions assume things that do not hold
    # here: there are threads and sockets, and neither processes nor signals.
    support.has_socket_support = True
    support.has_fork_support = False
    support.has_subprocess_support = False
    threading_helper.can_start_thread = True
    from test.support import socket_helper

    socket_helper.has_gethostname = True
    # Modules that were dropped since refuse to be imported by a later version.
    warnings._deprecated = lambda *args, **kwargs: None
    # There are none, which their constructor says and not `bind`.
    socket_helper._bind_nix_socket_error = OSError("there are no Unix sockets")
    support.verbose = 0
    support.use_resources = []


def prepare_asyncio():
    """Functions that the tests' helpers call and Python 3.14 has no longer.

    Not the subjects of the tests: only how they clean up.
    """
    import asyncio
    from asyncio import events

    def no_watcher(self, *watcher):
        raise NotImplementedError

    events._AbstractEventLoopPolicy.get_child_watcher = no_watcher
    events._AbstractEventLoopPolicy.set_child_watcher = no_watcher

    class Watcher:
        """Watches no children, because there are none."""

        def attach_loop(self, loop):
            pass

    asyncio.SafeChildWatcher = Watcher
    asyncio.set_child_watcher = lambda watcher: None


def run(name):
    """Runs one case, with the fixtures of its class and module as they are due."""
    result, suite = state["result"], state["suite"]
    case = state["cases"][name]
    kind = unittest.util.strclass(type(case))
    result.outcome = None
    result.fixtures.pop("now", None)
    suite._tests = [case]
    suite.run(result)
    if "now" in result.fixtures:
        # A fixture failed or asked to be skipped: so it is for the whole class.
        result.fixtures[kind] = result.fixtures["now"]
        if getattr(result, "_moduleSetUpFailed", False):
            result.fixtures[type(case).__module__] = result.fixtures["now"]
    outcome = (
        result.outcome
        or result.fixtures.get(kind)
        or result.fixtures.get(type(case).__module__)
        or ("failed", "the case did not run")
    )
    return {"outcome": outcome[0], "text": outcome[1]}


def finish(_):
    """The fixtures that are still to be taken down."""
    result, suite = state["result"], state["suite"]
    result.fixtures.pop("now", None)
    suite._tearDownPreviousClass(None, result)
    suite._handleModuleTearDown(result)
    outcome = result.fixtures.get("now", ("passed", ""))
    return {"outcome": outcome[0], "text": outcome[1]}


ORDERS = {"load": load, "run": run, "finish": finish}

import Domoticz
