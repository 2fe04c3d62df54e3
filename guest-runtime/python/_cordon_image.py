"""``Domoticz.Image``: a custom icon set.

Owns the object's members. The hub of this release has no custom images: making
or removing one is refused in the log, never pretended.
"""

from operator import attrgetter

import _cordon_binding as binding
import _cordon_log as log
from _cordon_arguments import text

_HINT = "Expected Image(Filename='')"


def _refuse(image, value=None):
    raise AttributeError("readonly attribute")


def _member(name):
    return property(attrgetter("__" + name + "__"), _refuse, _refuse)


class Image:
    """A custom icon set (spec 4.7)."""

    __slots__ = ("__ID__", "__Name__", "__Base__", "__Description__", "__Filename__")
    __module__ = "Domoticz"

    ID = _member("ID")
    Name = _member("Name")
    Base = _member("Base")
    Description = _member("Description")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.__ID__ = -1
        self.__Name__ = ""
        self.__Base__ = ""
        self.__Description__ = ""
        self.__Filename__ = ""
        return self

    def __init__(self, *args, **kwargs):
        if not binding.ready("Image"):
            return
        try:
            _construct(self, *args, **kwargs)
        except Exception as failure:
            log.refused_arguments("Image", _HINT, failure)

    def __str__(self):
        return "ID: %d, Base: '%s', Name: %s, Description: '%s'" % (
            self.__ID__,
            self.__Base__,
            self.__Name__,
            self.__Description__,
        )

    def Create(self):
        if not binding.ready("Image.Create"):
            return
        if not self.__Filename__:
            log.core_error("the image is not associated with a file: name one in Image(Filename)")
            return
        _unavailable(self.__Filename__ + " was not read")

    def Delete(self):
        if binding.ready("Image.Delete"):
            _unavailable("nothing was deleted")


def _construct(image, Filename=""):
    filename = text(Filename, "Filename")
    if filename:
        image.__Filename__ = binding.parameters.get("HomeFolder", "") + filename


def _unavailable(consequence):
    log.error("custom images are not available in this release: " + consequence)
