"""The sources of an Indigo plugin's imports.

Owns the order: the folder of ``plugin.py``, the bundle's ``Packages``, the packages
that were installed for the plugin, the runtime. It also owns the words for a plugin
whose Python is too old.
"""

import re
import warnings

import _cordon_frameworks
from _cordon_loader import PluginFinder

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


def install(folder, bundled, setup):
    """Prepares imports for the plugin whose ``plugin.py`` is in this folder.

    ``bundled`` is the folder of packages in the bundle, empty if there is none.
    """
    folders = [folder.rstrip("/")] + ([bundled.rstrip("/")] if bundled else [])
    # Users of a plugin need no warnings of newer versions of Python about a source.
    warnings.simplefilter("ignore", SyntaxWarning)
    PluginFinder(folders, setup["modules"], ("indigo",)).install(setup["packages"])
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
