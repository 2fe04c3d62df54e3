"""A framework of a few lines: the module ``toy``, and the calls of its plugins."""

import json
import sys
import types

import _cordon
import _cordon_log

OK, NOT_DEFINED, RAISED = 0, 1, 2

_plugin = types.ModuleType("plugin")


def keep(name, on):
    """Keeps a device, which is on or off, with the hub."""
    kind, text = _cordon.call("keep", json.dumps({"name": name, "on": on}))
    if kind:
        raise RuntimeError(text)


def start(setup):
    api = types.ModuleType("toy")
    api.log, api.keep = _cordon_log.normal, keep
    sys.modules["toy"] = api
    path = setup["plugin_folder"] + "plugin.py"
    with open(path, encoding="utf-8") as file:
        code = compile(file.read(), path, "exec")
    return _run(exec, code, _plugin.__dict__)


def call(name, arguments):
    function = getattr(_plugin, name, None)
    return _run(function, **json.loads(arguments)) if function else NOT_DEFINED


def deliver(kind, *arguments):
    return NOT_DEFINED


def _run(function, *arguments, **named):
    try:
        function(*arguments, **named)
        return OK
    except Exception as failure:
        _cordon_log.traceback(failure)
        return RAISED
