"""Makes the interpreter ready before the snapshot, once per build of the runtime.

Imports the modules that plugins use most and forgets the facts that were learned from
the machine. Work that every instance needs is done here if possible, because the first
use of anything costs a start ten times as much as later ones. The module knows nothing
about the plugin API.
"""

import gc
import importlib
import os
import sys
import types

import _cordon_clock
import _cordon_constants
import _cordon_modes
import _cordon_os
import _cordon_patches

# The most used modules of the standard library, by the number of public plugins that
# import them, with the modules that they drag in. Left out: asyncio, socketserver and
# sqlite3 (few need them, and every instance would pay for their pages), webbrowser
# (looks for programs), multiprocessing (its import makes a secret key) and zoneinfo
# (reads the environment).
PRELOADED = (
    "json",
    "time",
    "datetime",
    "os",
    "logging",
    "sys",
    "threading",
    "re",
    "urllib.parse",
    "urllib.error",
    "urllib.request",
    "socket",
    "queue",
    "subprocess",
    "traceback",
    "typing",
    "base64",
    "math",
    "platform",
    "shutil",
    "xml.etree.ElementTree",
    "collections",
    "enum",
    "random",
    "hashlib",
    "struct",
    "ast",
    "colorsys",
    "operator",
    "configparser",
    "dataclasses",
    "errno",
    "pathlib",
    "binascii",
    "itertools",
    "select",
    "uuid",
    "abc",
    "codecs",
    "copy",
    "fnmatch",
    "functools",
    "glob",
    "hmac",
    "importlib",
    "mimetypes",
    "shlex",
    "string",
    "csv",
    "html",
    "http.client",
    "inspect",
    "io",
    "secrets",
    "tempfile",
    "warnings",
    "zipfile",
    "_strptime",
    "bisect",
    "decimal",
    "getopt",
    "gzip",
    "contextlib",
    "calendar",
    "locale",
    "logging.handlers",
    "email.message",
    "concurrent.futures",
    "statistics",
    "ipaddress",
    "selectors",
)

# New containers between two collections, then collections between two of the next
# generation. A full collection writes to every page it visits, which costs an
# instance its share of the snapshot (about 11 MiB); plugins drop nearly all of
# their objects by reference count.
GC_THRESHOLDS = (50_000, 20, 100)

# The place that the frozen library names as its own. Nothing is there.
NOMINAL_LIBRARY = "/lib/python"

# The modules that the snapshot refused to import, for whoever builds it.
not_preloaded = {}


def init():
    """Imports the modules that plugins use, then hides them from the collector.

    No file, socket, clock or environment may be touched for good: their answers here
    would be in every instance.
    """
    # This goes first, because others keep references to the functions that it replaces.
    _cordon_clock.install()
    _cordon_os.install()
    _cordon_constants.install()
    _cordon_modes.install()
    _cordon_patches.install()
    importlib.import_module("_cordon_epoll").install()
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except Exception as failure:
            # A plugin that imports the module gets this failure, in its own log.
            not_preloaded[name] = "%s: %s" % (type(failure).__name__, failure)
    importlib.import_module("_cordon_descriptor").install()
    importlib.import_module("_cordon_transfer").install()
    importlib.import_module("_cordon_subprocess").install()
    importlib.import_module("_cordon_source").install()
    _add_site_builtins()
    # Module inspect looks for it; every interpreter has one.
    sys.modules.setdefault("__main__", types.ModuleType("__main__"))
    _hide_library_folder()
    importlib.import_module("_cordon_runtime")
    # Module ``indigo`` is for Indigo plugins only; the others must not find it.
    importlib.import_module("_cordon_indigo").hide()
    _cordon_os.describe_system()
    importlib.import_module("_cordon_rehearsal").rehearse()
    forget()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def forget():
    """Puts every piece of state that was learned or used back to that of a new
    interpreter. Runs last before the snapshot."""
    os.environ.clear()
    os.environ.update(_cordon_os.ENVIRONMENT)
    _interpreter()
    _generators()
    _files()
    importlib.import_module("_cordon_stdio").install()


def _add_site_builtins():
    """``exit`` and ``quit``, which module ``site`` adds in the original hub."""
    import builtins

    if not hasattr(builtins, "exit"):
        from _sitebuiltins import Quitter

        builtins.exit = Quitter("exit", "end of input")
        builtins.quit = Quitter("quit", "end of input")


def _hide_library_folder():
    """Takes the folders of the build machine out of the modules' attributes.

    The frozen library was compiled from a folder of that machine and carries its
    name, which no plugin has any business to know.
    """
    folder = getattr(sys, "_stdlib_dir", None)
    # Elsewhere the library is read from real files, which have to be found.
    if not folder or sys.modules["json"].__spec__.origin != "frozen":
        return
    sys._stdlib_dir = NOMINAL_LIBRARY
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            module.__file__ = file.replace(folder, NOMINAL_LIBRARY)
        spec = getattr(module, "__spec__", None)
        for paths in (
            getattr(module, "__path__", None),
            getattr(spec, "submodule_search_locations", None),
        ):
            if isinstance(paths, list):
                paths[:] = [path.replace(folder, NOMINAL_LIBRARY) for path in paths]
        state = getattr(spec, "loader_state", None)
        if getattr(state, "filename", None):
            state.filename = state.filename.replace(folder, NOMINAL_LIBRARY)


def _interpreter():
    """Module ``sys``: no command line, no path of the build machine."""
    sys.argv = [""]
    sys.orig_argv = [""]
    # Modules of the plugin and its packages are compiled once. The compiled code is
    # kept in a folder of the instance, beside the sources in nothing but the name.
    sys.pycache_prefix = _cordon_os.CODE
    sys.dont_write_bytecode = not _cordon_clock.is_component()
    for name in ("executable", "_base_executable"):
        # Some plugins build commands from this path, some the name of its folder.
        # Nothing is there: a start of it fails like that of any other program that was
        # not granted.
        setattr(sys, name, _cordon_os.EXECUTABLE)
    # Listings of folders that were looked at before the snapshot. The function
    # for it, importlib.invalidate_caches, imports importlib.metadata and with it
    # 2 MiB into every instance.
    sys.path_importer_cache.clear()


def _generators():
    """Every generator that drew a value before the snapshot."""
    module = _loaded("uuid")
    if module is not None:
        # Clock sequences and the node: kept so that identifiers of one process
        # do not repeat, which here are many processes.
        for name in (
            "_node",
            "_last_timestamp",
            "_last_timestamp_v6",
            "_last_timestamp_v7",
        ):
            _reset(module, name, None)
        _reset(module, "_last_counter_v7", 0)
    module = _loaded("tempfile")
    if module is not None:
        # The module holds a generator of its own once a name was made.
        module._name_sequence = None


def _files():
    """Forgets facts about the file system, and sets the folder of temporary files."""
    module = _loaded("tempfile")
    if module is not None:
        # The folder that a look at the environment would find.
        module.tempdir = _cordon_os.TEMPORARY
    for name, cache in (("linecache", "cache"), ("platform", "_platform_cache")):
        module = _loaded(name)
        if module is not None:
            getattr(module, cache).clear()
    module = _loaded("platform")
    if module is not None:
        _reset(module, "_uname_cache", None)
        _reset(module, "_os_release_cache", None)
    module = _loaded("urllib.request")
    if module is not None:
        # An opener is built from the proxies in the environment.
        module._opener = None
    module = _loaded("mimetypes")
    if module is not None and module.inited:
        # Read from the files of the machine on first use.
        module.inited = False


def _loaded(name):
    return sys.modules.get(name)


def _reset(module, name, value):
    """Sets a private name that not every version of the library has."""
    if hasattr(module, name):
        setattr(module, name, value)
