"""Markup in texts that stands for the value of a variable or of a device's state.

Owns its syntax and the words for its errors. The methods are part of the base class of
plugins.
"""

import re

from indigo import _collection

_VARIABLE = re.compile(r"%%v:([^%]*)%%")
_STATE = re.compile(r"%%d:([^%]*)%%")


class Substitution:
    """The part of the base class that substitutes."""

    def substitute(self, inString, validateOnly=False):
        """Variables first, whose values may bring markup of devices, then devices."""
        text = self.substituteVariable(inString, validateOnly)
        if validateOnly:
            return text if not text[0] else self.substituteDeviceState(inString, True)
        return self.substituteDeviceState(text)

    def substituteVariable(self, inString, validateOnly=False):
        """``%%v:ID%%`` becomes the variable's value."""
        return self._substituted(inString, validateOnly, "%%v:", _VARIABLE, _variable)

    def substituteDeviceState(self, inString, validateOnly=False):
        """``%%d:ID:STATE%%`` becomes the state's value."""
        return self._substituted(inString, validateOnly, "%%d:", _STATE, _state)

    def _substituted(self, text, validate, opening, markup, value):
        text = "" if text is None else str(text)
        errors = []

        def replace(found):
            try:
                return value(found.group(1))
            except ValueError as failure:
                errors.append(str(failure))
                return found.group(0)

        result = markup.sub(replace, text)
        if opening in markup.sub("", text):
            errors.append("the markup '%s...' does not end with '%%%%'" % opening)
        if validate:
            return (not errors, "; ".join(errors))
        for error in errors:
            self.logger.error("substitution: " + error)
        return result


def _number(text, what):
    if not text.strip().isdigit():
        raise ValueError("'%s' is no id of a %s" % (text, what))
    return int(text)


def _variable(argument):
    number = _number(argument, "variable")
    try:
        return _collection.variables[number].value
    except KeyError:
        raise ValueError("there is no variable with id %d" % number) from None


def _state(argument):
    number, colon, key = argument.partition(":")
    if not colon or not key:
        raise ValueError("'%%%%d:%s%%%%' needs the id of a device and a state" % argument)
    number = _number(number, "device")
    try:
        states = _collection.devices[number].states
    except KeyError:
        raise ValueError("there is no device with id %d" % number) from None
    if key not in states:
        raise ValueError("device %d has no state '%s'" % (number, key))
    return str(states[key])
