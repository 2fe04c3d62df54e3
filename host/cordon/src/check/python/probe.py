"""Imports the modules of a plugin, then the plugin itself, and writes down how it went.

Runs as a plugin of its own, in a component without grants, in a copy of the plugin's
folder. Its results are the plugin's own claims: it runs the plugin's code.
"""

import json
import os
import sys
import time
import traceback

import _cordon_source

RESULT = "/data/probe.json"


def origin(name):
    """Where a module came from."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    where = getattr(spec, "origin", None) or ""
    if where == "cordon":
        return "runtime"
    if where.startswith("/packages"):
        return "packages"
    if where.startswith("/plugin") or where.startswith("/data"):
        return "plugin"
    if where in ("built-in", "frozen") or where.startswith("/lib/python"):
        return "library"
    return "packages" if any(str(path).startswith("/packages") for path in
                             getattr(module, "__path__", ())) else "library"


def attempt(module, name):
    """Imports one module, or one name from it."""
    begun = time.perf_counter()
    result = {"module": module, "name": name, "error": None, "missing": None, "origin": ""}
    try:
        found = __import__(module, fromlist=[name] if name and name != "*" else ["__name__"])
        if name and name != "*" and not hasattr(found, name):
            result["error"] = "cannot import name %r from %r" % (name, module)
        result["origin"] = origin(module)
    except BaseException as error:
        result["error"] = ("%s: %s" % (type(error).__name__, error))[:300]
        if isinstance(error, ModuleNotFoundError):
            result["missing"] = error.name
    result["took_ms"] = int((time.perf_counter() - begun) * 1000)
    return result


def own(modules):
    """Imports the plugin's own modules that it did not come to, to see how far each gets."""
    for module in modules:
        try:
            __import__(module)
        except BaseException:
            # Its missing modules are known from its own imports.
            continue


def plugin(path):
    """Runs the plugin's own module as the hub would, up to its first callback."""
    begun = time.perf_counter()
    result = {"error": None, "line": 0, "file": ""}
    try:
        with open(path, "rb") as stream:
            code = _cordon_source.compiled(stream.read(), "/plugin/plugin.py")
        module = type(sys)("plugin")
        module.__file__ = "/plugin/plugin.py"
        sys.modules["plugin"] = module
        exec(code, module.__dict__)
    except BaseException as error:
        result["error"] = ("%s: %s" % (type(error).__name__, error))[:500]
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.startswith("/plugin/"):
                result["file"], result["line"] = frame.filename[8:], frame.lineno
        if isinstance(error, ModuleNotFoundError):
            result["missing"] = error.name
    result["took_ms"] = int((time.perf_counter() - begun) * 1000)
    return result


def ran(error):
    """The plugin's own files that were run to their end, with their modules' code, below its folder."""
    files = {getattr(module, "__file__", None) or "" for name, module in list(sys.modules.items()) if name != "plugin"}
    return sorted([file[8:] for file in files if file.startswith("/plugin/")] + ([] if error else ["plugin.py"]))


def methods(names):
    """Which of these methods the class of an Indigo plugin has; of none when it may make them up."""
    kind = getattr(sys.modules.get("plugin"), "Plugin", None)
    if not isinstance(kind, type) or hasattr(kind, "__getattr__"):
        return {}
    return {name: hasattr(kind, name) for name in names}


def show_indigo():
    """The module that an Indigo plugin finds, although this is none: the module of its hub."""
    import builtins

    import _cordon_indigo

    # Nobody answers it here. While they are imported, plugins use its server to log.
    _cordon_indigo._call.command = lambda name, arguments: None
    sys.modules.update(_cordon_indigo._modules)
    builtins.indigo = _cordon_indigo.indigo


def main():
    """The function that the hub's driver calls."""
    with open("/plugin/cordon-wanted.json") as stream:
        wanted = json.load(stream)
    results = {"imports": [], "api": {}, "plugin": None, "ran": []}

    def save():
        with open(RESULT + ".new", "w") as stream:
            json.dump(results, stream)
        os.replace(RESULT + ".new", RESULT)

    if wanted["indigo"]:
        show_indigo()
    for module, name in wanted["imports"]:
        # Known before it is tried: an import that never returns is the one without a result.
        results["trying"] = module
        save()
        results["imports"].append(attempt(module, name))
    results["trying"] = None
    for member in wanted["api"]:
        module, _, rest = member.partition(".")
        try:
            here = __import__(module)
            results["api"][member] = all(
                hasattr(here, part) for part in rest.split(".")[:1] if part)
        except BaseException:
            results["api"][member] = False
    if wanted["plugin"]:
        results["trying"] = "plugin.py"
        save()
        results["plugin"] = plugin("/plugin/" + wanted["plugin"])
        if results["plugin"]["error"]:
            own(wanted["own"])
        else:
            results["methods"] = methods(wanted["methods"])
        results["trying"] = None
        results["ran"] = ran(results["plugin"]["error"])
    save()
