"""What plugins use of ``pkg_resources``: versions of packages, and files in them.

The original belongs to setuptools, is being withdrawn, and looks through every package
when it is imported. This answers the same questions through ``importlib``.
"""

import importlib
import os
import re
from importlib import metadata


class ResolutionError(Exception):
    """Something that is asked for is not there."""


class DistributionNotFound(ResolutionError):
    """A package that is not installed."""


class VersionConflict(ResolutionError):
    """A package that is installed in another version."""


class Distribution:
    """An installed package."""

    def __init__(self, found):
        self._found = found
        self.project_name = found.metadata["Name"]
        self.key = self.project_name.lower()
        self.version = found.version
        self.parsed_version = parse_version(found.version)
        self.location = str(found.locate_file(""))

    def requires(self, extras=()):
        """What it wants, as text."""
        return list(self._found.requires or ())

    def __str__(self):
        return "%s %s" % (self.project_name, self.version)


class parse_version(tuple):
    """A version that compares: numbers as numbers, and what comes before a release first."""

    def __new__(cls, text):
        text = str(text).strip().lower().lstrip("v")
        release = re.match(r"\d+(?:\.\d+)*", text)
        numbers = [int(part) for part in release.group().split(".")] if release else [0]
        while len(numbers) > 1 and not numbers[-1]:
            numbers.pop()
        rest = text[release.end():] if release else text
        before = re.search(r"(dev|a|b|rc|c|pre)", rest)
        stage = {"dev": 0, "a": 1, "b": 2}.get(before.group(), 3) if before else 4
        digits = [int(part) for part in re.findall(r"\d+", rest)]
        self = super().__new__(cls, (tuple(numbers), stage, tuple(digits)))
        self._text = text
        return self

    def __str__(self):
        return self._text


def get_distribution(name):
    """The installed package that a requirement names."""
    wanted = re.match(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*(.*)", str(name))
    try:
        found = Distribution(metadata.distribution(wanted.group(1)))
    except (metadata.PackageNotFoundError, AttributeError):
        raise DistributionNotFound(
            "the package %r is not installed: use `cordon install`" % str(name)) from None
    for operator, version in re.findall(r"(==|!=|>=|<=|~=|>|<)\s*([\w.+!]+)", wanted.group(2)):
        if not _agrees(found.parsed_version, operator, parse_version(version)):
            raise VersionConflict("%s is installed, %s is wanted" % (found, name))
    return found


def _agrees(have, operator, want):
    if operator == "~=":
        return have >= want and have[0][:len(want[0]) - 1] == want[0][:-1]
    return {"==": have == want, "!=": have != want, ">=": have >= want, "<=": have <= want,
            ">": have > want, "<": have < want}[operator]


def require(*requirements):
    """The installed packages; raises for one that is not there."""
    names = []
    for requirement in requirements:
        names.extend([requirement] if isinstance(requirement, str) else requirement)
    return [get_distribution(name) for name in names]


def iter_entry_points(group, name=None):
    """The entry points that the packages declare."""
    for entry in metadata.entry_points(group=group):
        if name is None or entry.name == name:
            yield entry


def resource_filename(package, name):
    """The path of a file in a package."""
    module = importlib.import_module(str(package))
    return os.path.join(os.path.dirname(module.__file__), name)


def resource_exists(package, name):
    """Whether there is such a file."""
    return os.path.exists(resource_filename(package, name))


def resource_stream(package, name):
    """The file, open to be read."""
    return open(resource_filename(package, name), "rb")


def resource_string(package, name):
    """Its content."""
    with resource_stream(package, name) as stream:
        return stream.read()


class _WorkingSet:
    """All installed packages."""

    def __iter__(self):
        return (Distribution(found) for found in metadata.distributions())

    @property
    def by_key(self):
        """The packages by name."""
        return {found.key: found for found in self}


working_set = _WorkingSet()
