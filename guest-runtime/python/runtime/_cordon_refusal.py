"""The words for a plugin that uses something that cannot exist in a component.

Modules for such things can be imported, because plugins import them defensively; their
use raises an error that names another way.
"""

import errno


def refusal(what, instead):
    """The exception for the use of ``what``: an ``OSError`` with ``ENOTSUP``."""
    return OSError(errno.ENOTSUP, "%s is not available to plugins: %s" % (what, instead))


def refused(what, instead):
    """A function of this name that raises the refusal."""

    def function(*args, **kwargs):
        raise refusal(what, instead)

    function.__name__ = function.__qualname__ = what.rpartition(".")[2]
    function.__doc__ = "Refused: " + instead
    return function
