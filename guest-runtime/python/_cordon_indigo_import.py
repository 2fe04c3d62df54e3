"""Where an Indigo plugin's imports come from, and how ``plugin.py`` is loaded.

Owns the order: the folder of ``plugin.py``, the bundle's ``Packages``, what was
installed for the plugin, the runtime. And the words for a plugin whose Python is too
old.
"""

import hashlib
import marshal
import os
import re
import sys
import warnings
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec

import _cordon

import _cordon_frameworks

# Where the hub shows the plugin its packages, read-only.
PACKAGES = "/packages"

# The interpreter's own path, without what is not there.
_LIBRARY = [entry for entry in sys.path if entry and os.path.isdir(entry)]

# Loaded before the plugin's folder leads the path, in every interpreter.
_LOADED_FIRST = frozenset(
    ("abc", "builtins", "codecs", "encodings", "genericpath", "importlib", "io",
     "os", "posixpath", "site", "stat", "sys", "zipimport", "indigo")
)

_PYTHON_2_MODULES = frozenset((
    "urllib2", "urlparse", "httplib", "ConfigParser", "Queue", "StringIO", "cStringIO",
    "BaseHTTPServer", "SocketServer", "HTMLParser", "Cookie", "cookielib", "xmlrpclib",
    "thread", "commands", "__builtin__", "cPickle", "exceptions", "htmlentitydefs",
))
_PYTHON_2_NAMES = frozenset((
    "unicode", "basestring", "xrange", "raw_input", "unichr", "long", "reload", "reduce",
    "cmp", "execfile",
))
_PYTHON_2_LINE = re.compile(
    r"""^\s*print\s+[^\s(=]|^\s*print\s*>>|^\s*except\b[^:]*,\s*\w+\s*:|^\s*exec\s+[^\s(=]"""
    r"""|^\s*raise\s+\w+\s*,|\bur['"]|<>|`|\b0\d+\b"""
)
_PYTHON_2 = (
    "this plugin is written for Python 2, which no server with API version 3.0 or later runs:"
    " get a version of it whose Info.plist says ServerApiVersion 3.0 or higher"
)


class PluginFinder:
    """Finds the modules of the bundle before those of the runtime."""

    def __init__(self, folders, modules):
        self._folders = folders
        self.local = {
            name for name in modules
            if name not in _LOADED_FIRST and name not in sys.builtin_module_names
            and not name.startswith("_cordon")
        }

    def find_spec(self, name, path=None, target=None):
        if path is not None:
            # A package that is installed brings its own parts.
            installed = [entry for entry in path if entry.startswith(PACKAGES + "/")]
            return PathFinder.find_spec(name, installed, target) if installed else None
        if name in self.local:
            return PathFinder.find_spec(name, self._folders)
        return None


def install(folder, bundled, setup):
    """Prepares imports for the plugin whose ``plugin.py`` is in this folder.

    ``bundled`` is the folder of packages in the bundle, empty if there is none.
    """
    folders = [folder.rstrip("/")] + ([bundled.rstrip("/")] if bundled else [])
    sys.path[:] = folders + ([PACKAGES] if setup["packages"] else []) + _LIBRARY
    # Of what newer versions of Python think of a source, users of a plugin need no word.
    warnings.simplefilter("ignore", SyntaxWarning)
    finder = PluginFinder(folders, setup["modules"])
    for name in ("plugin", *finder.local):
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, finder)
    _cordon_frameworks.refuse(_cordon_frameworks.INDIGO)


def load(folder, code):
    """Runs ``plugin.py`` as module ``plugin`` and returns it.

    ``code`` is its compiled form from an earlier start, or ``None``.
    """
    path = folder.rstrip("/") + "/plugin.py"
    if code is None:
        with open(path, "rb") as file:
            source = file.read()
        compiled = compile(source, path, "exec", dont_inherit=True)
        _cordon.code_keep(hashlib.sha256(source).hexdigest(), marshal.dumps(compiled))
    else:
        compiled = marshal.loads(code)
    spec = ModuleSpec("plugin", SourceFileLoader("plugin", path), origin=path)
    spec.has_location = True
    module = sys.modules["plugin"] = module_from_spec(spec)
    _cordon.code_closed()
    try:
        exec(compiled, module.__dict__)
    except BaseException:
        sys.modules.pop("plugin", None)
        raise
    return module


def hint(failure):
    """What a plugin's author is told beside the traceback, or ``None``."""
    if isinstance(failure, SyntaxError):
        old = _PYTHON_2_LINE.search(_line(failure))
    elif isinstance(failure, ModuleNotFoundError):
        old = failure.name in _PYTHON_2_MODULES
    elif isinstance(failure, NameError):
        old = getattr(failure, "name", None) in _PYTHON_2_NAMES
    else:
        old = False
    return _PYTHON_2 if old else None


def _line(failure):
    """The line that does not parse; the one before it may be to blame."""
    if failure.text:
        return failure.text
    try:
        with open(failure.filename, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
        return lines[(failure.lineno or 1) - 1]
    except (OSError, IndexError, TypeError):
        return ""
