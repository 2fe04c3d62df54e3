"""Version numbers that compare."""

import re


class Version:
    """Base of both; a subclass makes ``version`` in ``parse``."""

    def __init__(self, vstring=None):
        if vstring:
            self.parse(vstring)

    def __repr__(self):
        return "%s ('%s')" % (type(self).__name__, self)

    def _pair(self, other):
        if isinstance(other, str):
            other = type(self)(other)
        return (self, other) if isinstance(other, Version) else None

    def _cmp(self, other):
        pair = self._pair(other)
        if pair is None:
            return NotImplemented
        mine, theirs = pair[0]._key(), pair[1]._key()
        return (mine > theirs) - (mine < theirs)

    def _compared(self, other, accepted):
        order = self._cmp(other)
        return order if order is NotImplemented else order in accepted

    def __eq__(self, other):
        return self._compared(other, (0,))

    def __lt__(self, other):
        return self._compared(other, (-1,))

    def __le__(self, other):
        return self._compared(other, (-1, 0))

    def __gt__(self, other):
        return self._compared(other, (1,))

    def __ge__(self, other):
        return self._compared(other, (0, 1))

    __hash__ = None


class StrictVersion(Version):
    """Two or three numbers, and a letter a or b with a number."""

    version_re = re.compile(r"^(\d+)\.(\d+)(?:\.(\d+))?(?:([ab])(\d+))?$", re.ASCII)

    def parse(self, vstring):
        match = self.version_re.match(vstring)
        if not match:
            raise ValueError("invalid version number '%s'" % vstring)
        major, minor, patch, letter, number = match.groups()
        self.version = (int(major), int(minor), int(patch or 0))
        self.prerelease = (letter, int(number)) if letter else None

    def __str__(self):
        shown = self.version if self.version[2] else self.version[:2]
        text = ".".join(map(str, shown))
        return text + "%s%d" % self.prerelease if self.prerelease else text

    def _key(self):
        # Before its release; a letter never has to compare with nothing.
        return (self.version, self.prerelease is None, self.prerelease or ())


class LooseVersion(Version):
    """Numbers and words, compared part by part."""

    component_re = re.compile(r"(\d+ | [a-z]+ | \.)", re.VERBOSE)

    def parse(self, vstring):
        self.vstring = vstring
        parts = [part for part in self.component_re.split(vstring) if part and part != "."]
        self.version = [int(part) if part.isdigit() else part for part in parts]

    def __str__(self):
        return self.vstring

    def __repr__(self):
        return "LooseVersion ('%s')" % self

    def _key(self):
        return self.version
