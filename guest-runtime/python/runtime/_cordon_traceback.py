"""The text of a traceback as a plugin's author expects it.

Owns the choice of frames: those of this runtime are left out, because in the
original hub the callers and the API are native code that has no frames. It never
writes to the log itself.
"""

import sys
import traceback

# Frames of one traceback: more than the usual recursion limit of 1000. A plugin
# that raises the limit could else spend its memory on telling where it was.
_FRAMES = 2000


def lines(failure):
    """The lines of the traceback, without line ends.

    Falls back to the name of the exception's type when the exception cannot
    be formatted (spec 8.4).
    """
    try:
        report = traceback.TracebackException(
            type(failure), failure, failure.__traceback__, limit=_FRAMES, compact=True
        )
        _hide_own_frames(report)
        text = "".join(report.format())
        advice = _advice(failure)
    except BaseException:
        return [type(failure).__name__]
    # The piece after the last line end is dropped (spec 8.4 step 2).
    return text.split("\n")[:-1] + advice


def _advice(failure):
    """The remedy for a module that is not there, where it may be one of a package."""
    if not isinstance(failure, ModuleNotFoundError) or not isinstance(failure.name, str):
        return []
    module = failure.name.partition(".")[0]
    # The words about the other framework's modules are advice enough.
    if module in sys.stdlib_module_names or str(failure) != "No module named %r" % failure.name:
        return []
    return ["(if module '%s' is of a package, `cordon install` puts it beside the plugin)" % module]


# In the component every module of the runtime is compiled as "<cordon NAME>";
# under another interpreter they are the files of this folder's neighbours.
_OWN_FILE = lines.__code__.co_filename
_OWN_FOLDER = "/".join(_OWN_FILE.split("/")[:-2] + [""]) if "/" in _OWN_FILE else ""


def is_own(filename):
    """Whether a frame with this file name belongs to the runtime."""
    if filename.startswith(("<cordon ", "<frozen importlib._bootstrap")):
        return True
    return bool(_OWN_FOLDER) and filename.startswith(_OWN_FOLDER)


def _hide_own_frames(report):
    """Leaves our frames out of the report and of all that it is chained to."""
    waiting = [report]
    seen = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if current.stack:
            current.stack[:] = [f for f in current.stack if not is_own(f.filename)]
        waiting.append(current.__cause__)
        waiting.append(current.__context__)
        waiting.extend(current.exceptions or ())
