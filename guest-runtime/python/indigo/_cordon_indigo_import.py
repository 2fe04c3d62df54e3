"""The sources of an Indigo plugin's imports.

Owns the order: the folder of ``plugin.py``, the bundle's ``Packages``, the packages
that were installed for the plugin, the runtime. It also owns the words for a plugin
whose Python is too old, and for packages that Indigo has and this hub has not.
"""

import re
import shlex
import sys
import warnings

import _cordon_frameworks
from _cordon_loader import PluginFinder

# Modules of packages that Indigo installs for all plugins, with the words after `cordon install BUNDLE`;
# ``None`` for native ones. `known.rs` has the packages.
_PREINSTALLED = {
    "anyio": "anyio",
    "certifi": "certifi",
    "charset_normalizer": "charset-normalizer",
    "dateutil": "python-dateutil",
    "h11": "h11",
    "httpcore": "httpcore",
    "httpx": "httpx",
    "idna": "idna",
    "jinja2": "jinja2 --build markupsafe",
    "markupsafe": "markupsafe --build markupsafe",
    "matplotlib": None,
    "numpy": None,
    "PIL": None,
    "requests": "requests",
    "urllib3": "urllib3",
    "websockets": "websockets --build websockets",
}

_PYTHON_2_MODULES = frozenset(
    (
        "urllib2",
        "urlparse",
        "httplib",
        "ConfigParser",
        "Queue",
        "StringIO",
        "cStringIO",
        "BaseHTTPServer",
        "SocketServer",
        "HTMLParser",
        "Cookie",
        "cookielib",
        "xmlrpclib",
        "thread",
        "commands",
        "__builtin__",
        "cPickle",
        "exceptions",
        "htmlentitydefs",
    )
)
_PYTHON_2_NAMES = frozenset(
    (
        "unicode",
        "basestring",
        "xrange",
        "raw_input",
        "unichr",
        "long",
        "reload",
        "reduce",
        "cmp",
        "execfile",
    )
)
_PYTHON_2_LINE = re.compile(
    r"""^\s*print\s+[^\s(=]|^\s*print\s*>>|^\s*except\b[^:]*,\s*\w+\s*:|^\s*exec\s+[^\s(=]"""
    r"""|^\s*raise\s+\w+\s*,|\bur['"]|<>|`|\b0\d+\b"""
)
_PYTHON_2 = (
    "this plugin is written for Python 2, which no server with API version 3.0 or later runs:"
    " get a version of it whose Info.plist says ServerApiVersion 3.0 or higher"
)


class _LastFinder:
    """Explains why a module is missing that every plugin of Indigo has. It finds none."""

    def __init__(self, bundle):
        self._bundle = bundle

    def find_spec(self, name, path=None, target=None):
        if path is not None or name not in _PREINSTALLED or not _is_imported():
            return None
        words = _PREINSTALLED[name]
        if words is None:
            remedy = "it is native, and no plugin can load it here"
        else:
            remedy = "`cordon install %s %s` brings it" % (shlex.quote(self._bundle), words)
        raise ModuleNotFoundError(
            "No module named %r: Indigo preinstalls it, Cordon does not; %s" % (name, remedy),
            name=name,
        )


def _is_imported():
    """Whether a module is imported, and not merely looked for."""
    # The frames between are this module's and the one that asks all finders.
    frame = sys._getframe(2)
    for _ in range(3):
        if frame is None:
            return False
        if frame.f_code.co_name.startswith("_find_and_load"):
            return True
        frame = frame.f_back
    return False


def install(folder, bundled, setup, bundle=""):
    """Prepares imports for the plugin whose ``plugin.py`` is in this folder.

    ``bundled`` is the folder of packages in the bundle, empty if there is none, and ``bundle`` the
    name by which an operator knows the bundle.
    """
    folders = [folder.rstrip("/")] + ([bundled.rstrip("/")] if bundled else [])
    # Users of a plugin need no warnings of newer versions of Python about a source.
    warnings.simplefilter("ignore", SyntaxWarning)
    PluginFinder(folders, setup["modules"], ("indigo",)).install(setup["packages"])
    sys.meta_path.append(_LastFinder(bundle))
    _cordon_frameworks.refuse(_cordon_frameworks.INDIGO)


def hint(failure):
    """The advice to a plugin's author beside the traceback, or ``None``."""
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
