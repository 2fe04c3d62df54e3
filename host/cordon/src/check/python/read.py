"""Reads the sources of a plugin and writes down their contents; runs none of it.

Runs as a plugin of its own, in a component without grants, over a copy of the
sources in ``sources/``. ``read`` is plain Python and also works outside, below the
sources of ``conditions.py`` and ``names.py``.
"""

import ast
import json
import os
import re
import sys

try:
    # The interpreter of plugins, as it compiles them.
    from _cordon_source import tree as syntax_tree
except ImportError:
    syntax_tree = ast.parse
try:
    # Packages that a plugin brings and the runtime replaces, each with a part that tells it.
    from _cordon_loader import REPLACED
except ImportError:
    REPLACED = {}

# Bounds of the part that is looked at; the hub has bounded the folder before.
MAX_FINDINGS = 2000
MAX_TEXT = 200

NETWORK = {"socket", "http", "urllib", "requests", "httpx", "aiohttp", "paho", "websocket",
           "websockets", "ftplib", "smtplib", "imaplib", "telnetlib", "asyncio", "ssl",
           "xmlrpc", "urllib2", "httplib", "pymodbus", "pyModbusTCP"}
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "mqtt": 1883, "mqtts": 8883,
         "ftp": 21, "rtsp": 554, "tcp": 0, "udp": 0, "coap": 5683}
URL = re.compile(r"\b(%s)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d+))?" % "|".join(PORTS))
ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}$")
PYTHON2 = (
    ("print statement", re.compile(r"""^\s*print\s+(?:["'%\w]|>>)(?!\s*=[^=])""")),
    ("except with a comma", re.compile(r"^\s*except\s+[\w.()]+\s*,\s*\w+\s*:")),
    ("raise with a comma", re.compile(r"""^\s*raise\s+[\w.]+\s*,\s*["'\w]""")),
    ("exec statement", re.compile(r"""^\s*exec\s+["'\w]""")),
    ("backquotes", re.compile(r"^[^#'\"]*`[^`]*`")),
    ("octal number without 0o", re.compile(r"[(,=\s]0[0-7]{2,}\s*[),]")),
    ("<> operator", re.compile(r"^[^#'\"]*[\w)]\s*<>\s*[\w(]")),
    ("ur'' text", re.compile(r"""\bur["']""")),
)
WRITERS = {"makedirs", "mkdir", "copy", "copyfile", "copy2", "copytree", "move", "rename", "replace", "rmtree",
           "remove", "unlink", "write_text", "write_bytes", "touch", "symlink"}
LOG_FILES = {"FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler"}
# Methods of a path.
PATH_WRITERS = {"write_text", "write_bytes", "touch", "mkdir", "unlink"}
SPAWNERS = {"run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput",
            "system", "popen", "create_subprocess_exec", "create_subprocess_shell"}
INDIGO_CALLBACKS = {
    "startup", "shutdown", "runConcurrentThread", "deviceStartComm", "deviceStopComm",
    "deviceUpdated", "deviceCreated", "deviceDeleted", "variableUpdated", "variableCreated",
    "variableDeleted", "validateDeviceConfigUi", "validatePrefsConfigUi", "validateActionConfigUi",
    "validateEventConfigUi", "closedDeviceConfigUi", "closedPrefsConfigUi", "actionControlDevice",
    "actionControlDimmerRelay", "actionControlUniversal", "actionControlThermostat",
    "actionControlSensor", "actionControlSpeedControl", "actionControlSprinkler",
    "triggerStartProcessing", "triggerStopProcessing", "didDeviceCommPropertyChange",
    "getDeviceConfigUiValues", "getPrefsConfigUiValues", "getDeviceStateList",
    "getDeviceDisplayStateId", "getDeviceFactoryUiValues", "actionGroupUpdated",
    "scheduleUpdated", "triggerUpdated", "deviceConfigUi", "prepareToSleep", "wakeUp",
}


def short(text):
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


def decode(data):
    """The text of a source: UTF-8, else byte by byte, as it only has to be read."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def dotted(node):
    """``a.b.c`` of a chain of attributes, else the empty text."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))


def literal(node):
    return node.value if isinstance(node, ast.Constant) else None


def keyword(call, *names):
    for word in call.keywords:
        if word.arg in names:
            return word.value
    return None


class Reader(ast.NodeVisitor):
    """The contents of one file."""

    def __init__(self, facts, file, package, names):
        self.facts = facts
        self.names = names
        # The names of this file; unknown when anything may be one.
        self.bound = None
        # Above zero where a name that is not there is caught.
        self.named = 0
        self.file = file
        self.package = package
        self.guard = 0
        # Whether the code around looks first whether a member of the API is there.
        self.asked = 0
        self.tried = self.fallback = None
        self.functions = []
        self.imported = {}
        self.conditions = Conditions(self.resolve)
        self.tainted = set()
        self.docs = set()

    def note(self, kind, node, **values):
        found = self.facts[kind]
        if len(found) < MAX_FINDINGS:
            values.update(file=self.file, line=getattr(node, "lineno", 0))
            found.append(values)

    # Imports.

    def visit_Import(self, node):
        for alias in node.names:
            self.imported[alias.asname or alias.name.split(".")[0]] = (
                alias.name if alias.asname else alias.name.split(".")[0])
            self.add_import(node, alias.name, None, alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level:
            parts = self.package.split(".") if self.package else []
            parts = parts[:len(parts) - (node.level - 1)]
            module = ".".join(parts + ([module] if module else []))
        for alias in node.names:
            # A name of the hub's that may be missing is no use of it.
            if not (self.guard and module.split(".")[0] in ("Domoticz", "DomoticzEx", "indigo")):
                self.imported[alias.asname or alias.name] = module + "." + alias.name
            self.add_import(node, module, alias.name, alias.asname or alias.name)

    def add_import(self, node, module, name, binds):
        if module:
            self.note("imports", node, module=module, name=name, guarded=self.guard > 0,
                      late=bool(self.functions), tried=self.tried, fallback=self.fallback, binds=binds)

    def visit_Try(self, node):
        handlers = [it for it in node.handlers if self.catches(it.type)]
        # One that raises in its turn only says more about it.
        caught = any(not any(isinstance(it, ast.Raise) for it in handler.body) for handler in handlers)
        before, place = (self.tried, self.fallback), "%s:%d" % (self.file, node.lineno)
        asked = any(self.catches(it.type, ("AttributeError", "Exception", "BaseException"))
                    for it in node.handlers)
        named = any(self.catches(it.type, ("NameError", "Exception", "BaseException"))
                    for it in node.handlers)
        self.guard += caught
        self.asked += asked
        self.named += named
        self.tried = place if caught else self.tried
        self.visit_all(node.body)
        self.guard -= caught
        self.asked -= asked
        self.named -= named
        self.tried = before[0]
        for handler in node.handlers:
            self.fallback = place if handler in handlers else before[1]
            self.visit(handler)
        self.fallback = before[1]
        self.visit_all(node.orelse + node.finalbody)

    visit_TryStar = visit_Try

    def visit_With(self, node):
        calls = [it.context_expr for it in node.items if isinstance(it.context_expr, ast.Call)]
        caught = any(self.resolve(it.func) == "contextlib.suppress" and any(self.catches(kind) for kind in it.args)
                     for it in calls)
        self.guard += caught
        self.generic_visit(node)
        self.guard -= caught

    def visit_all(self, nodes):
        for node in nodes:
            self.visit(node)

    @staticmethod
    def catches(kind, names=("ImportError", "ModuleNotFoundError", "Exception", "BaseException")):
        if kind is None:
            return True
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(dotted(one).split(".")[-1] in names for one in kinds)

    def visit_If(self, node):
        """Visits only the branch that runs, where the condition is known here; where a module was looked for, its import is guarded."""
        self.visit(node.test)
        holds = self.conditions.decide(node.test)
        asked = any(isinstance(it, ast.Call) and self.resolve(it.func).endswith("find_spec") for it in ast.walk(node.test))
        has = any(isinstance(it, ast.Call) and dotted(it.func) == "hasattr" for it in ast.walk(node.test))
        self.guard += asked
        self.asked += has
        if holds is not False:
            self.visit_all(node.body)
        self.guard -= asked
        self.asked -= has
        if holds is not True:
            self.visit_all(node.orelse)

    # Functions and classes.

    def visit_FunctionDef(self, node):
        self.remember_doc(node)
        if not self.functions and node.name.startswith("on") and node.name[2:3].isupper():
            self.note("callbacks", node, name=node.name)
        self.functions.append(node.name)
        # Nobody has to evaluate what a function says of its types.
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        self.functions.pop()

    def visit_arg(self, node):
        """An argument's annotation is not evaluated either."""

    def visit_AnnAssign(self, node):
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        self.remember_doc(node)
        if any(dotted(base).split(".")[-1] == "PluginBase" for base in node.bases):
            for child in node.body:
                name = getattr(child, "name", None)
                if name in INDIGO_CALLBACKS:
                    self.note("callbacks", child, name=name)
            self.scope(node.body, INDIGO_CALLBACKS)
        self.functions.append("class " + node.name)
        self.generic_visit(node)
        self.functions.pop()

    def scope(self, body, callbacks):
        """Notes the functions of a scope in which the hub looks for callbacks."""
        defined = {it.name: (self.file, it.lineno) for it in body
                   if isinstance(it, (ast.FunctionDef, ast.AsyncFunctionDef))}
        self.names.scopes.append((defined, callbacks))

    def remember_doc(self, node):
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(literal(body[0].value), str):
            self.docs.add(id(body[0].value))

    # Values that lead into the plugin's folder.

    def visit_Assign(self, node):
        if self.leads_home(node.value):
            for target in node.targets:
                name = dotted(target)
                if name:
                    self.tainted.add(name)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.conditions.assign(target.id, node.value)
        self.generic_visit(node)

    def leads_home(self, node):
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id == "__file__":
                return True
            if isinstance(part, ast.Constant) and part.value in ("HomeFolder", "StartupFolder"):
                return True
            if isinstance(part, ast.Call) and dotted(part.func) in ("os.getcwd", "getcwd"):
                return True
            if isinstance(part, (ast.Name, ast.Attribute)) and dotted(part) in self.tainted:
                return True
        return False

    def is_beside(self, node):
        """Whether a path is in the plugin's folder, as far as one can see."""
        value = literal(node)
        if isinstance(value, str):
            return bool(value) and not value.startswith(("/", "~"))
        return self.leads_home(node)

    # Texts.

    def visit_Constant(self, node):
        value = node.value
        if not isinstance(value, str) or id(node) in self.docs or len(value) > 10000:
            return
        if len(value) < 60 and value.isidentifier():
            self.names.mentioned.add(value)
        for scheme, host, port in URL.findall(value):
            if "." in host or host == "localhost" or host.startswith("["):
                self.note("hosts", node, host=host, port=int(port or 0) or PORTS[scheme],
                          scheme=scheme)
        if ADDRESS.match(value) and all(int(part) < 256 for part in value.split(".")):
            self.note("hosts", node, host=value, port=0, scheme="")

    # The hub's API.

    def visit_Attribute(self, node):
        self.names.mentioned.add(node.attr)
        if isinstance(node.ctx, ast.Store) and len(self.facts["attributes"]) < MAX_FINDINGS:
            self.facts["attributes"].append(node.attr)
        name = dotted(node)
        first = name.split(".")[0]
        if first in self.imported:
            name = self.imported[first] + name[len(first):]
        api = name.split(".")[0]
        if api in ("Domoticz", "DomoticzEx", "indigo"):
            self.note("api", node, guarded=self.asked > 0, member=".".join(name.split(".")[:3 if api == "indigo" else 2]))
            while isinstance(node, ast.Attribute):
                node = node.value
            self.read_name(node)
            return
        self.generic_visit(node)

    def read_name(self, node):
        """Notes a name that is read, and whether anything defines it."""
        self.names.mentioned.add(node.id)
        if (self.bound is not None and not self.named and node.id not in self.bound
                and node.id not in GIVEN and len(self.names.missing) < MAX_FINDINGS):
            self.names.missing.append({"name": node.id, "file": self.file, "line": node.lineno})

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.read_name(node)
        whole = self.imported.get(node.id, "")
        if whole.split(".")[0] in ("Domoticz", "DomoticzEx") and "." in whole:
            self.note("api", node, guarded=self.asked > 0, member=whole)

    # Calls.

    def resolve(self, node):
        name = dotted(node)
        first, _, rest = name.partition(".")
        if first in self.imported:
            return self.imported[first] + ("." + rest if rest else "")
        return name

    def visit_Call(self, node):
        name = self.resolve(node.func)
        last = node.func.attr if isinstance(node.func, ast.Attribute) else name.split(".")[-1]
        first = node.args[0] if node.args else None
        for rule in (self.call_import, self.call_network, self.call_program, self.call_serial,
                     self.call_write, self.call_time):
            rule(node, name, last, first)
        self.generic_visit(node)

    def call_import(self, node, name, last, first):
        if name in ("importlib.import_module", "__import__") and isinstance(literal(first), str):
            self.note("imports", node, module=literal(first), name=None, guarded=self.guard > 0,
                      late=True, tried=self.tried, fallback=self.fallback, binds=None)

    def call_network(self, node, name, last, first):
        if last in ("connect", "connect_ex", "sendto", "create_connection", "bind"):
            pair = first if last != "sendto" else (node.args[-1] if node.args else None)
            if isinstance(pair, ast.Tuple) and len(pair.elts) >= 2:
                host, port = literal(pair.elts[0]), literal(pair.elts[1])
                port = port if isinstance(port, int) else 0
                if last == "bind":
                    self.note("listens", node, port=port, what="bind")
                elif isinstance(host, str) and host:
                    self.note("hosts", node, host=host, port=port, scheme="")
        if last in ("HTTPServer", "ThreadingHTTPServer", "TCPServer", "UDPServer",
                    "ThreadingTCPServer", "WSGIServer") and isinstance(first, ast.Tuple):
            port = literal(first.elts[1]) if len(first.elts) > 1 else None
            self.note("listens", node, port=port if isinstance(port, int) else 0, what=last)
        if last in ("start_server", "create_server"):
            port = literal(keyword(node, "port") or (node.args[2] if len(node.args) > 2 else None))
            self.note("listens", node, port=port if isinstance(port, int) else 0, what=last)
        if name in ("Domoticz.Connection", "DomoticzEx.Connection"):
            self.connection(node)

    def connection(self, node):
        transport = literal(keyword(node, "Transport")) or ""
        host, port = literal(keyword(node, "Address")), literal(keyword(node, "Port"))
        try:
            port = int(port or 0)
        except (TypeError, ValueError):
            port = 0
        if transport.startswith("ICMP"):
            self.note("pings", node, host=host if isinstance(host, str) else "")
        elif transport == "Serial":
            self.note("serial", node, port=host if isinstance(host, str) else "")
        elif isinstance(host, str) and host:
            self.note("hosts", node, host=host, port=port, scheme="")
        elif keyword(node, "Address") is None:
            self.note("listens", node, port=port, what="Connection")

    def call_program(self, node, name, last, first):
        module = name.split(".")[0]
        if last not in SPAWNERS or module not in ("subprocess", "os", "asyncio", "commands"):
            return
        if module == "asyncio" and not last.startswith("create_subprocess"):
            return
        if isinstance(first, (ast.List, ast.Tuple)) and first.elts:
            first = first.elts[0]
        while isinstance(first, ast.BinOp):
            first = first.left
        if isinstance(first, ast.JoinedStr) and first.values:
            first = first.values[0]
        program = literal(first)
        words = program.split() if isinstance(program, str) else []
        while words and (words[0] in ("sudo", "env") or "=" in words[0]):
            words.pop(0)
        shell = literal(keyword(node, "shell")) is True or last in (
            "system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell")
        self.note("programs", node, program=short(words[0]) if words else "", shell=shell,
                  call=name)

    def call_serial(self, node, name, last, first):
        if name in ("serial.Serial", "serial.serial_for_url"):
            port = literal(first if first is not None else keyword(node, "port", "url"))
            self.note("serial", node, port=port if isinstance(port, str) else "")
        if name == "indigo.PluginBase.openSerial" or last == "openSerial":
            self.note("serial", node, port="")

    def call_write(self, node, name, last, first):
        if name in ("open", "io.open", "codecs.open"):
            mode = literal(node.args[1] if len(node.args) > 1 else keyword(node, "mode"))
            if isinstance(mode, str) and set(mode) & set("wax+") and first is not None:
                if self.is_beside(first):
                    self.note("writes", node, call=name)
        elif last in WRITERS and name.split(".")[0] in ("os", "shutil"):
            targets = node.args[:2] if last in ("copy", "copyfile", "copy2", "copytree", "move",
                                                "rename", "replace") else node.args[:1]
            if targets and self.is_beside(targets[-1]):
                self.note("writes", node, call=name)
        elif last in LOG_FILES or name in ("sqlite3.connect", "shelve.open", "dbm.open"):
            first = first if first is not None else keyword(node, "filename")
            if first is not None and self.is_beside(first) and literal(first) != ":memory:":
                self.note("writes", node, call=name or last)
        elif last in PATH_WRITERS and isinstance(node.func, ast.Attribute):
            if self.leads_home(node.func.value):
                self.note("writes", node, call=last)

    def call_time(self, node, name, last, first):
        if name in ("time.sleep", "sleep"):
            seconds = literal(first)
            inside = self.functions[-1] if self.functions else ""
            if isinstance(seconds, (int, float)):
                self.note("sleeps", node, seconds=seconds, function=inside)
        if name in ("threading.Thread", "Thread", "threading.Timer"):
            self.note("threads", node, call=name)
        if last == "ThreadPoolExecutor":
            workers = literal(first if first is not None else keyword(node, "max_workers"))
            self.note("pools", node, workers=workers if isinstance(workers, int) else 0)
        if name.split(".")[0] in ("requests", "urllib") and last in (
                "get", "post", "put", "request", "urlopen", "delete", "head", "patch"):
            if keyword(node, "timeout") is None and not (last == "urlopen" and len(node.args) > 2):
                self.note("unbounded", node, call=name)


def empty():
    kinds = ("files", "imports", "callbacks", "hosts", "api", "listens", "programs", "serial",
             "pings", "writes", "sleeps", "threads", "pools", "unbounded", "attributes", "near",
             "undefined")
    return {kind: [] for kind in kinds}


def python2(lines, near):
    """The first line that only Python 2 understands: its number and the words that say so."""
    order = [near] if 0 < near <= len(lines) else []
    for number in order + list(range(1, min(len(lines), 20000) + 1)):
        line = lines[number - 1][:400]
        for what, pattern in PYTHON2:
            if pattern.search(line):
                return number, what
    return None


def parse(facts, file, data):
    text = decode(data)
    lines = text.splitlines()
    entry = {"file": file, "lines": len(lines), "error": None}
    facts["files"].append(entry)
    try:
        return syntax_tree(text, file)
    except SyntaxError as error:
        number = error.lineno or 0
        shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        entry["error"] = {"line": number, "text": short(shown), "message": short(str(error.msg)),
                          "python2": None}
        old = python2(lines, number)
        if old:
            entry["error"]["python2"] = {"line": old[0], "what": old[1],
                                         "text": short(lines[old[0] - 1].strip())}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        entry["error"] = {"line": 0, "text": "", "message": short(
            "%s: %s" % (type(error).__name__, error)), "python2": None}
    return None


def bundled(root):
    """Top-level folders that came with a package's own records, in the spelling of module names."""
    names = [name for name in os.listdir(root) if name.endswith((".dist-info", ".egg-info"))]
    return {re.sub("[-.]", "_", name.split("-")[0]).lower() for name in names}


def local_file(root, module):
    """The file of a module of the plugin's own, as a path below its folder."""
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    part = REPLACED.get(parts[0])
    if part and os.path.exists(os.path.join(root, parts[0], part)):
        return None
    base = "/".join(parts)
    for name in (base + "/__init__.py", base + ".py"):
        if os.path.isfile(os.path.join(root, name)):
            return name
    return None


def read(root, entry="plugin.py"):
    """Reads ``entry`` and the modules of the plugin that it leads to."""
    facts = empty()
    waiting, seen = [entry], {entry}
    packages = bundled(root)
    names = Names()
    while waiting:
        file = waiting.pop(0)
        with open(os.path.join(root, file), "rb") as stream:
            tree = parse(facts, file, stream.read())
        if tree is None:
            names.known = False
            continue
        parts = file[:-3].split("/")
        package = ".".join(parts[:-1])
        before = len(facts["imports"])
        reader = Reader(facts, file, package, names)
        body = tree.body
        here = bound(tree)
        if here is None:
            # It may define names for the other files as well.
            names.known = names.known and not injects(tree)
        elif not ("/" in file and parts[0].lower() in packages):
            reader.bound = here
        if file == entry:
            reader.scope(body, DOMOTICZ_CALLBACKS)
        if body and isinstance(body[0], ast.Expr):
            reader.docs.add(id(body[0].value))
        try:
            reader.visit(tree)
        except RecursionError:
            facts["files"][-1]["error"] = {
                "line": 0, "text": "", "message": "nested too deeply to be looked at",
                "python2": None}
        for found in facts["imports"][before:]:
            modules = [found["module"]]
            if found["name"]:
                modules.append(found["module"] + "." + found["name"])
            found["local"] = False
            found["bundled"] = "/" in file and parts[0].lower() in packages
            for module in modules:
                prefix = module.split(".")
                for length in range(1, len(prefix) + 1):
                    name = local_file(root, ".".join(prefix[:length]))
                    if name is None:
                        continue
                    found["local"] = True
                    if name not in seen and len(seen) < MAX_FINDINGS:
                        seen.add(name)
                        waiting.append(name)
    facts["near"] = list(names.near())
    facts["undefined"] = list(names.undefined())
    facts["library"] = sorted(getattr(sys, "stdlib_module_names", ()))
    facts["network"] = sorted({found["module"].split(".")[0] for found in facts["imports"]} & NETWORK)
    return facts


def main():
    """The function that the hub's driver calls."""
    facts = read("/plugin/sources")
    with open("/data/facts.json", "w") as stream:
        json.dump(facts, stream)
