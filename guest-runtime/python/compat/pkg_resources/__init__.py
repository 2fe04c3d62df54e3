"""The few functions of ``pkg_resources`` that programs ask about packages."""

import importlib
import importlib.metadata as _metadata
import os
import re


class ResolutionError(Exception):
    pass


class DistributionNotFound(ResolutionError):
    pass


class VersionConflict(ResolutionError):
    pass


class Distribution:
    def __init__(self, found):
        self._found = found
        self.project_name = found.metadata["Name"]
        self.key = self.project_name.lower()
        self.version = found.version
        self.location = str(found.locate_file(""))

    @property
    def parsed_version(self):
        return parse_version(self.version)

    def __str__(self):
        return "%s %s" % (self.project_name, self.version)


def get_distribution(dist):
    """The installed package of this name; ``DistributionNotFound`` if there is none."""
    if isinstance(dist, Distribution):
        return dist
    name = _name(str(dist))
    try:
        return Distribution(_metadata.distribution(name))
    except _metadata.PackageNotFoundError:
        raise DistributionNotFound("the '%s' distribution was not found" % name) from None


def _name(requirement):
    return re.split(r"[\s<>=!~;\[(]", requirement.strip(), maxsplit=1)[0]


_COMPARISONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "~=": lambda a, b: a >= b,
}


def require(*requirements):
    """The packages; raises when one is missing or has another version."""
    found = []
    for requirement in requirements:
        lines = requirement if isinstance(requirement, (list, tuple)) else [requirement]
        for line in lines:
            dist = get_distribution(line)
            for sign, version in re.findall(r"(==|!=|>=|<=|~=|>|<)\s*([\w.]+)", line):
                if not _COMPARISONS[sign](dist.parsed_version, parse_version(version)):
                    raise VersionConflict("%s does not meet %s" % (dist, line))
            found.append(dist)
    return found


class _Version:
    """Compares by numbers; a pre-release comes before its release."""

    def __init__(self, text):
        self.text = str(text)
        plain = self.text.strip().lower().lstrip("v").partition("+")[0]
        numbers, rest = re.match(r"([\d.]*)(.*)", plain).groups()
        values = [int(part) for part in numbers.split(".") if part]
        while values and values[-1] == 0:
            values.pop()
        before = bool(re.search(r"dev|a|b|rc|c|pre", rest))
        suffix = [int(n) for n in re.findall(r"\d+", rest)]
        self._key = (
            values,
            0 if before else 2 if rest else 1,
            re.sub(r"[\d.\-_]", "", rest),
            suffix,
        )

    def __str__(self):
        return self.text

    def __repr__(self):
        return "<Version(%r)>" % self.text

    def __hash__(self):
        return hash(str(self._key))

    def __eq__(self, other):
        return self._key == other._key if isinstance(other, _Version) else NotImplemented

    def __lt__(self, other):
        return self._key < other._key

    def __le__(self, other):
        return self._key <= other._key

    def __gt__(self, other):
        return self._key > other._key

    def __ge__(self, other):
        return self._key >= other._key


def parse_version(version):
    """A version that compares; that of ``packaging`` where it is installed."""
    try:
        from packaging.version import parse
    except ImportError:
        return _Version(version)
    return parse(version)


class _WorkingSet:
    def __iter__(self):
        return (Distribution(found) for found in _metadata.distributions())

    @property
    def by_key(self):
        return {dist.key: dist for dist in self}


working_set = _WorkingSet()


def iter_entry_points(group, name=None):
    for point in _metadata.entry_points(group=group):
        if name in (None, point.name):
            yield point


def _path(package, resource):
    module = importlib.import_module(package)
    return os.path.join(os.path.dirname(module.__file__), *resource.split("/"))


def resource_filename(package_or_requirement, resource_name):
    return _path(package_or_requirement, resource_name)


def resource_exists(package_or_requirement, resource_name):
    return os.path.exists(_path(package_or_requirement, resource_name))


def resource_isdir(package_or_requirement, resource_name):
    return os.path.isdir(_path(package_or_requirement, resource_name))


def resource_listdir(package_or_requirement, resource_name):
    return os.listdir(_path(package_or_requirement, resource_name))


def resource_string(package_or_requirement, resource_name):
    with open(_path(package_or_requirement, resource_name), "rb") as file:
        return file.read()


def resource_stream(package_or_requirement, resource_name):
    return open(_path(package_or_requirement, resource_name), "rb")


def declare_namespace(name):
    """Namespace packages need no declaration any more."""
