"""Names that a plugin means and does not have: those that nothing defines, and callbacks that are nearly named.

Only what is certain is told. Part of the source of ``read.py``, which stands below it.
"""

import ast
import builtins

DOMOTICZ_CALLBACKS = {
    "onStart", "onStop", "onHeartbeat", "onConnect", "onMessage", "onTimeout", "onDisconnect",
    "onCommand", "onDeviceAdded", "onDeviceModified", "onDeviceRemoved", "onNotification",
    "onSecurityEvent", "onWebSocketMessage",
}
# Names that a module has without binding them: the language's, and those that the two hubs give.
GIVEN = set(dir(builtins)) | {
    "__name__", "__file__", "__doc__", "__package__", "__spec__", "__loader__", "__path__", "__dict__",
    "__builtins__", "__class__", "__annotations__", "__debug__", "__module__", "__qualname__", "_",
    "Parameters", "Devices", "Images", "Settings", "indigo", "self",
    "WindowsError", "exit", "quit", "copyright", "credits", "license", "help",
}
# With one of these in the text anything may be defined.
MAKERS = {"exec", "eval", "execfile", "globals", "vars", "locals", "setattr", "__import__", "__builtins__"}
INJECTORS = {"builtins", "__builtin__", "gettext"}


def bound(tree):
    """The names that a module binds in whatever scope; ``None`` when they cannot all be known."""
    names = set()
    for node in ast.walk(tree):
        kind = type(node).__name__
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
            elif node.id in MAKERS:
                return None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
            if node.name == "__getattr__":
                return None
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            first = (node.asname or node.name).split(".")[0]
            if first == "*" or node.name.split(".")[0] in INJECTORS:
                return None
            names.add(first)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in INJECTORS:
            return None
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            names.update(node.names)
        elif kind in ("MatchAs", "MatchStar", "TypeVar", "ParamSpec", "TypeVarTuple"):
            names.add(node.name)
        elif kind == "MatchMapping":
            names.add(node.rest)
    return names


def injects(tree):
    """Whether a module may give names to every other one."""
    words = INJECTORS | {"__builtins__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.alias) and node.name.split(".")[0] in words:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in words:
            return True
        if isinstance(node, ast.Name) and node.id in words:
            return True
    return False


def close(left, right):
    """Whether two words differ by one letter: another, one too many, or two in the wrong order."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    left, right = left[start:], right[start:]
    return (left[1:] == right[1:] or left[1:] == right or left == right[1:]
            or (left[:2] == right[:2][::-1] and left[2:] == right[2:]))


class Names:
    """The names of one plugin, over all of its files."""

    def __init__(self):
        self.mentioned = set()
        # For each scope that holds callbacks: its definitions, with file and line, and the callbacks.
        self.scopes = []
        self.missing = []
        self.known = True

    def near(self):
        """Functions that nothing uses and that are nearly callbacks which their scope lacks."""
        for defined, callbacks in self.scopes:
            for name, (file, line) in sorted(defined.items()):
                if name in callbacks or name in self.mentioned or "_" in name:
                    continue
                for right in sorted(callbacks - set(defined)):
                    same = name.lower() == right.lower()
                    if same or (len(name) > 4 and close(name.lower(), right.lower())):
                        yield {"name": name, "right": right, "sure": same, "file": file, "line": line}
                        break

    def undefined(self):
        """Names that are read and that nothing defines, each where it stands first."""
        seen = set()
        for found in self.missing if self.known else ():
            if found["name"] not in seen:
                seen.add(found["name"])
                yield found
