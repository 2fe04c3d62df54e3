"""``Domoticz.Image``: a set of custom icons.

Owns the object's members and the dictionary ``Images``. The pictures are in the hub,
which checks the file and decides which sets are this plugin's.
"""

import _cordon

import _cordon_answer as answers
import _cordon_binding as binding
import _cordon_log as log
from _cordon_arguments import any_case, text
from _cordon_member import read_only

_HINT = "Expected Image(Filename=''), names in any case"

# The hub takes no larger file; a set of three pictures has a few kilobytes.
_LARGEST_FILE = 4 << 20

_NO_ID = -1


class Image:
    """A set of custom icons (spec 4.7)."""

    __slots__ = ("__ID__", "__Name__", "__Base__", "__Description__", "__Filename__")
    __module__ = "Domoticz"

    ID = read_only("ID")
    Name = read_only("Name")
    Base = read_only("Base")
    Description = read_only("Description")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.__ID__ = _NO_ID
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
        """Stores the sets of the file and puts them into ``Images``.

        As in the original this object itself stays as it is.
        """
        if not binding.ready("Image.Create"):
            return
        if not self.__Filename__:
            log.core_error("the image is not associated with a file: name one in Image(Filename)")
            return
        try:
            with open(self.__Filename__, "rb") as file:
                archive = file.read(_LARGEST_FILE + 1)
        except Exception as failure:
            _not_created(self, str(failure))
            return
        if len(archive) > _LARGEST_FILE:
            _not_created(self, "it has more than %d bytes" % _LARGEST_FILE)
            return
        made, *rest = _cordon.image_create(archive)
        if not made:
            _not_created(self, rest[1] if rest[0] == "invalid" else answers.reason((made, *rest)))
            return
        binding.images.update(load(rest))
        if binding.mask & binding.IMAGES:
            log.normal("images of '%s' were created" % self.__Filename__)

    def Delete(self):
        """Removes the set and its entry in ``Images``; the members stay.

        The original cannot remove one, which is listed as a defect.
        """
        if not binding.ready("Image.Delete"):
            return
        deleted, *why = (False, "missing")
        if self.__ID__ != _NO_ID:
            deleted, *why = _cordon.image_delete(self.__ID__)
        if not deleted:
            reason = "there is no such image" if why[0] == "missing" else answers.reason((0, *why))
            log.error("image '%s' was not deleted: %s" % (self.__Base__, reason))
            return
        binding.images.pop(self.__Base__, None)
        if binding.mask & binding.IMAGES:
            log.normal("image '%s' was deleted" % self.__Base__)


def load(rows):
    """Objects for rows in the order of the contract's record `image`, by base."""
    images = {}
    for number, base, name, description in rows:
        image = images[base] = Image.__new__(Image)
        image.__ID__ = number
        image.__Base__ = base
        image.__Name__ = name
        image.__Description__ = description
    return images


@any_case
def _construct(image, Filename=""):
    filename = text(Filename, "Filename")
    if filename:
        image.__Filename__ = binding.parameters.get("HomeFolder", "") + filename


def _not_created(image, reason):
    log.core_error("no image was created from '%s': %s" % (image.__Filename__, reason))
