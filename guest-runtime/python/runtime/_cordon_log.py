"""Records in the plugin's log.

Owns the numbers that travel to the hub and the wording that several modules share. It
never filters: the hub decides which records are shown. Functions here never raise,
whatever the text.
"""

import _cordon

import _cordon_traceback

NORMAL = 0
STATUS = 1
ERROR = 2

# Lines about a plugin that is not bound to its hardware yet have no prefix
# (spec section 10, rule 18), so every record says whose it is.
HARDWARE = 0
CORE = 1

_write = _cordon.log


def normal(text):
    _write(NORMAL, HARDWARE, text)


def status(text):
    _write(STATUS, HARDWARE, text)


def error(text):
    _write(ERROR, HARDWARE, text)


def core_error(text):
    _write(ERROR, CORE, text)


def traceback(failure):
    """One error record per line of the traceback (spec 8.4)."""
    for line in _cordon_traceback.lines(failure):
        error(line)


def exception(name, failure):
    """The block of spec 8.4: who raised, then the traceback."""
    error("'" + name + "' raised an exception, details follow:")
    traceback(failure)


def refused_arguments(name, hint, failure, headline=error):
    """Logs bad arguments as spec 4.2 says: a usage hint, then the block."""
    headline(hint)
    exception(name, failure)


def attribute_line(name, value):
    """The line form of spec 8.4 step 3: the name takes 20 characters."""
    return " ----> '" + name + "'" + " " * (20 - len(name)) + " '" + value + "'"


def attributes(owner):
    """Lists the attributes of spec 8.4 step 3: data that is not private and not empty."""
    for name in dir(owner):
        if name.startswith("__"):
            continue
        try:
            value = getattr(owner, name)
            text = "" if callable(value) else str(value)
        except Exception:
            # A property of the plugin that raises has no value to show.
            continue
        if text:
            normal(attribute_line(name, text))
