"""Conditions in sources whose outcome is known before the plugin runs.

Which interpreter and which platform it is, that nothing is type checked, and that a plugin is no main program.
Part of the source of ``read.py``, which stands below it.
"""

import ast
import operator
import os
import platform
import sys

UNKNOWN = object()
COMPARISONS = {ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
               ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
               ast.In: lambda left, right: left in right, ast.NotIn: lambda left, right: left not in right}
FACTS = {
    "sys.version_info": tuple(sys.version_info),
    "sys.version_info.major": sys.version_info[0],
    "sys.version_info.minor": sys.version_info[1],
    "sys.hexversion": sys.hexversion,
    "sys.version": sys.version,
    "sys.platform": sys.platform,
    "sys.implementation.name": sys.implementation.name,
    "os.name": os.name,
    "typing.TYPE_CHECKING": False,
    "TYPE_CHECKING": False,
    "__name__": "plugin",
}
CALLS = {
    "platform.system": platform.system,
    "platform.python_implementation": platform.python_implementation,
    "platform.python_version": platform.python_version,
    "platform.python_version_tuple": platform.python_version_tuple,
}
# Names that many modules give to the same fact, also where they import it from another one.
CUSTOM = {"TYPE_CHECKING": False, "PY2": False, "PY3": True, "PYTHON2": False, "PYTHON3": True, "IS_PY2": False,
          "IS_PY3": True, "is_py2": False, "is_py3": True}


class Conditions:
    """What one file knows; ``resolve`` gives the full dotted name of an expression, or the empty text."""

    def __init__(self, resolve):
        self.resolve = resolve
        self.names = {}

    def assign(self, name, node):
        """Remembers a name that stands for a fact. One with several values stands for none, and a plain constant
        may be a setting that changes."""
        fact = self.value(node) if any(isinstance(it, (ast.Name, ast.Attribute)) for it in ast.walk(node)) else UNKNOWN
        if name in self.names:
            fact = UNKNOWN
        if fact is not UNKNOWN or name in self.names:
            self.names[name] = fact

    def decide(self, node):
        """Whether a condition holds, None when that is not known."""
        value = self.value(node)
        if value is not UNKNOWN:
            return bool(value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.decide(node.operand)
            return None if inner is None else not inner
        if isinstance(node, ast.BoolOp):
            parts = [self.decide(part) for part in node.values]
            decisive = isinstance(node.op, ast.Or)
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        return None

    def value(self, node):
        """What an expression is, where it is made of constants and known facts."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Tuple, ast.List)):
            parts = tuple(self.value(part) for part in node.elts)
            return UNKNOWN if UNKNOWN in parts else parts
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self.named(node)
        try:
            if isinstance(node, ast.Subscript):
                return self.part(node)
            if isinstance(node, ast.Compare) and len(node.ops) == 1:
                left, right = self.value(node.left), self.value(node.comparators[0])
                if UNKNOWN in (left, right):
                    return UNKNOWN
                return COMPARISONS[type(node.ops[0])](left, right)
            if isinstance(node, ast.Call):
                return self.called(node)
        except (TypeError, ValueError, IndexError, KeyError):
            pass
        return UNKNOWN

    def named(self, node):
        name = self.resolve(node)
        if isinstance(node, ast.Name) and node.id in self.names:
            return self.names[node.id]
        return FACTS.get(name, CUSTOM.get(name.split(".")[-1], UNKNOWN))

    def part(self, node):
        whole = self.value(node.value)
        if whole is UNKNOWN or not isinstance(whole, (tuple, str)):
            return UNKNOWN
        if isinstance(node.slice, ast.Slice):
            ends = [None if end is None else self.value(end) for end in (node.slice.lower, node.slice.upper)]
            return UNKNOWN if UNKNOWN in ends or node.slice.step else whole[ends[0]:ends[1]]
        index = self.value(node.slice)
        return UNKNOWN if index is UNKNOWN else whole[index]

    def called(self, node):
        name = self.resolve(node.func)
        if name in CALLS and not node.args and not node.keywords:
            return CALLS[name]()
        method = getattr(node.func, "attr", "")
        if method in ("startswith", "endswith", "lower") and not node.keywords:
            text = self.value(node.func.value)
            words = [self.value(word) for word in node.args]
            if isinstance(text, str) and UNKNOWN not in words:
                return getattr(text, method)(*words)
        return UNKNOWN
