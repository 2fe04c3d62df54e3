"""Finds the modules of a plugin and runs its ``plugin.py``.

Owns two decisions. Modules in the plugin's own folders go before those of the standard
library, as they do when these folders lead ``sys.path``. ``plugin.py`` is compiled once
per source, not once per start.
"""

import hashlib
import marshal
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

import _cordon

import _cordon_log
import _cordon_source

# Where the hub shows the plugin its packages, read-only.
PACKAGES = "/packages"

# The interpreter's own path, without folders that do not exist: the library is frozen
# into the component, and its entry names a folder of the machine that built it.
_LIBRARY = [entry for entry in sys.path if entry and os.path.isdir(entry)]

# Modules that every interpreter has loaded before the plugin's folder leads the
# path; a file of the plugin with such a name is never seen by the original.
_LOADED_FIRST = frozenset(
    (
        "abc",
        "builtins",
        "codecs",
        "encodings",
        "genericpath",
        "importlib",
        "io",
        "os",
        "posixpath",
        "site",
        "stat",
        "sys",
        "zipimport",
    )
)


# Packages of the runtime that take the place of a plugin's own copy, each with a part by which a
# copy is recognised: those of a plugin would look for terminals, libraries or the kernel.
REPLACED = {
    "Crypto": "Cipher",
    "Cryptodome": "Cipher",
    "cryptography": "hazmat",
    "ifaddr": "_posix.py",
    "serial": "serialutil.py",
}


class PluginFinder:
    """Finds the modules of a plugin before those of the runtime.

    ``folders`` are the plugin's own, ``modules`` the names of the modules in them.
    Names in ``reserved`` belong to the framework.
    """

    def __init__(self, folders, modules, reserved):
        self._folders = folders
        self.local = {
            name
            for name in modules
            if name not in _LOADED_FIRST
            and name not in sys.builtin_module_names
            and name not in reserved
            and not name.startswith("_cordon")
        }

    def find_spec(self, name, path=None, target=None):
        if path is not None:
            # A package that is installed brings its own parts: one of the runtime may
            # have the name of a whole that it took the place of, as with distutils.
            installed = [entry for entry in path if entry.startswith(PACKAGES + "/")]
            return PathFinder.find_spec(name, installed, target) if installed else None
        if name in self.local and not self._set_aside(name):
            return PathFinder.find_spec(name, self._folders)
        return None

    def _set_aside(self, name):
        """Whether the plugin's own package of this name makes way for the runtime's."""
        part = REPLACED.get(name)
        if part is None or not any(
            os.path.exists("%s/%s/%s" % (folder.rstrip("/"), name, part))
            for folder in self._folders
        ):
            return False
        _cordon_log.status(
            "the plugin's own copy of package '%s' is set aside: it needs what a component does not"
            " have, and the runtime has a package that takes its place" % name
        )
        return True

    def install(self, packages):
        """Looks before all other finders. ``packages`` says whether some were installed
        for the plugin: its own modules go before theirs."""
        sys.path[:] = self._folders + ([PACKAGES] if packages else []) + _LIBRARY
        for name in ("plugin", *self.local):
            sys.modules.pop(name, None)
        sys.meta_path.insert(0, self)


def load(path, code):
    """Runs the ``plugin.py`` at this path as module ``plugin`` and returns it.

    ``code`` is its compiled form from an earlier start, or ``None``. No finder is
    asked: that would touch more memory than the whole rest of a start.
    """
    if code is None:
        with open(path, "rb") as file:
            source = file.read()
        compiled = _cordon_source.compiled(source, path)
        _cordon.code_keep(hashlib.sha256(source).hexdigest(), marshal.dumps(compiled))
    else:
        compiled = marshal.loads(code)
    spec = ModuleSpec("plugin", SourceFileLoader("plugin", path), origin=path)
    spec.has_location = True
    # The same as importlib would do, but for the name of a compiled file that there is not.
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
