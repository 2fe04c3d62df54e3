"""What a plugin's imports find first, and how its own module is loaded.

Owns three decisions: the API module counts as imported only once the plugin
imports it (spec 2.2), modules in the plugin's folder go before those of the
standard library, as they do when the folder leads ``sys.path``, and ``plugin.py``
is compiled once per source, not once per start.
"""

import hashlib
import marshal
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

import _cordon

import _cordon_frameworks
import _cordon_source

LEGACY = "Domoticz"

# The extended framework; both at once is an error (rule 16).
EXTENDED = "DomoticzEx"

_APIS = (LEGACY, EXTENDED)

# Modules that every interpreter has loaded before the plugin's folder leads the
# path; a file of the plugin with such a name is never seen by the original.
_LOADED_FIRST = frozenset(
    ("abc", "builtins", "codecs", "encodings", "genericpath", "importlib", "io",
     "os", "posixpath", "site", "stat", "sys", "zipimport")
)


class PluginFinder:
    """Finder and, for the API modules, loader."""

    def __init__(self, apis, folder, modules):
        self._apis = apis
        self._folder = folder
        self.local = _seen(modules)

    def find_spec(self, name, path=None, target=None):
        if path is not None:
            # A package that is installed brings its own parts: one of the runtime may
            # have the name of a whole that it took the place of, as with distutils.
            installed = [entry for entry in path if entry.startswith("/packages/")]
            return PathFinder.find_spec(name, installed, target) if installed else None
        if name in self._apis:
            return ModuleSpec(name, self, origin="cordon")
        if name in self.local:
            return PathFinder.find_spec(name, [self._folder])
        return None

    def create_module(self, spec):
        return self._apis[spec.name]

    def exec_module(self, module):
        """Nothing to run: the modules are part of the snapshot."""


def install(apis, folder, modules):
    """Prepares imports for the plugin in this folder, which ends with a slash and
    holds these modules. ``apis`` are the API modules by name."""
    finder = PluginFinder(apis, folder, modules)
    for name in (*_APIS, "plugin", *finder.local):
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, finder)
    _cordon_frameworks.refuse(_cordon_frameworks.DOMOTICZ)


def load(folder, code):
    """Runs ``plugin.py`` as module ``plugin`` (spec 2.1) and returns it.

    ``code`` is its compiled form from an earlier start, or ``None``. No finder is
    asked: that would touch more memory than the whole rest of a start.
    """
    path = folder + "plugin.py"
    if code is None:
        with open(path, "rb") as file:
            source = file.read()
        compiled = _cordon_source.compiled(source, path)
        _cordon.code_keep(hashlib.sha256(source).hexdigest(), marshal.dumps(compiled))
    else:
        compiled = marshal.loads(code)
    spec = ModuleSpec("plugin", SourceFileLoader("plugin", path), origin=path)
    spec.has_location = True
    # What importlib would do, but for the name of a compiled file that there is not.
    module = sys.modules["plugin"] = ModuleType("plugin")
    module.__file__, module.__loader__, module.__package__ = path, spec.loader, ""
    module.__spec__ = spec
    _cordon.code_closed()
    try:
        exec(compiled, module.__dict__)
    except BaseException:
        sys.modules.pop("plugin", None)
        raise
    return module


def imported():
    """Which API modules the plugin has imported, directly or through helpers."""
    return [name for name in _APIS if name in sys.modules]


def _seen(modules):
    """Those of these names that go before the modules of the runtime."""
    return {
        name
        for name in modules
        if name not in _LOADED_FIRST
        and name not in sys.builtin_module_names
        and name not in _APIS
        and not name.startswith("_cordon")
    }
