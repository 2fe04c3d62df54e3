"""Arguments of API calls, checked as the original's native calls check them.

Owns the rules for a text and for a number, the words for a bad one, and the names of
keyword arguments. It never logs and never changes anything: callers decide the meaning
of a failure.
"""

import operator

# Stands for an argument that was not given, where None is a value of its own.
ABSENT = object()

# The original parses numbers into a C int.
_LOWEST = -(2**31)
_HIGHEST = 2**31 - 1

_index = operator.index


def number(value):
    """An int, bool or anything with ``__index__``; a float or text is refused."""
    if type(value) is not int:
        # int(), because the index of True is True.
        value = int(_index(value))
    if _LOWEST <= value <= _HIGHEST:
        return value
    if value > 0:
        raise OverflowError("signed integer is greater than maximum")
    raise OverflowError("signed integer is less than minimum")


def text(value, name):
    """A str that can be sent as UTF-8; None is refused (spec 4.3)."""
    if type(value) is not str:
        if not isinstance(value, str):
            raise TypeError("argument '%s' must be str, not %s" % (name, type(value).__name__))
        value = str.__str__(value)
    if not value.isascii():
        # Raises UnicodeEncodeError for a lone surrogate, as the original does.
        value.encode()
    if "\0" in value:
        raise ValueError("embedded null character")
    return value


def plain(value):
    """``str(value)``, with the characters replaced that UTF-8 cannot carry."""
    value = str(value)
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def any_case(function):
    """``function``, which takes its keyword arguments in any case (rule 189).

    A parameter without a capital is the object that is worked on and no argument of the
    plugin. Of two keywords that differ only in case the later one wins.
    """
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    proper = {name.lower(): name for name in names if not name.islower()}

    def taker(*args, **kwargs):
        if kwargs:
            kwargs = {proper.get(name.lower(), name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return taker


def options(value):
    """A dictionary of options with keys and values as text (rule 35)."""
    return {plain(key): plain(item) for key, item in value.items()}
