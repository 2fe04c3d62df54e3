"""Members of API objects that behave as those of the original's native classes.

Owns the reading, assigning and deleting of a member (spec 4.1). The value of member
``X`` is in the slot ``__X__`` of its object: double underscores at both ends do not
clash with attributes of a plugin's subclass, and Dump leaves them out.
"""

from operator import attrgetter

from _cordon_arguments import number


def slot(name):
    """The name of the slot behind a member."""
    return "__" + name + "__"


def _refuse(owner, value=None):
    """Setter and deleter of a member that plugins can only read (rule 44)."""
    raise AttributeError("readonly attribute")


def _keep(owner):
    raise TypeError("can't delete numeric/char attribute")


def read_only(name):
    # attrgetter over a slot is read by native code; a slot alone could be written.
    return property(attrgetter(slot(name)), _refuse, _refuse)


def whole(name):
    """A member that takes ints and bools (rule 68)."""
    place = slot(name)

    def assign(owner, value):
        setattr(owner, place, number(value))

    return property(attrgetter(place), assign, _keep)


def real(name):
    """A member that takes all that ``float`` takes, but for text."""
    place = slot(name)

    def assign(owner, value):
        if isinstance(value, (str, bytes, bytearray)):
            raise TypeError("must be real number, not " + type(value).__name__)
        setattr(owner, place, float(value))

    return property(attrgetter(place), assign, _keep)


def anything(name):
    """A member that takes any value; a deleted one reads as None."""
    place = slot(name)

    def assign(owner, value):
        setattr(owner, place, value)

    def clear(owner):
        setattr(owner, place, None)

    return property(attrgetter(place), assign, clear)
