"""Does the work that plugins do when they start, for the snapshot tool to look at.

It runs in an interpreter that is thrown away. The blocks of the heap that are written
to while it runs lie side by side in the snapshot. So it uses each thing that plugins
use most once, and nothing that it computes matters. It asks neither the hub nor the
system for anything but the time.
"""


def exercise():
    """Runs the code below as a plugin's module is run."""
    scope = {"__name__": "plugin"}
    exec(compile(MODULE, "/plugin/plugin.py", "exec", dont_inherit=True), scope)
    scope["onStart"]()


MODULE = '''
import base64
import binascii
import collections
import copy
import datetime
import functools
import hashlib
import hmac
import itertools
import json
import logging
import math
import os
import queue
import random
import re
import socket
import string
import struct
import sys
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree as ET
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, IntEnum
from typing import Any, Dict, List, Optional

LIMITS = {"low": 0.5, "high": 99.5}
NAMES = ("kitchen", "attic", "cellar")
PATTERN = re.compile(r"^(?P<key>[a-z_]+)\\s*=\\s*(?P<value>-?\\d+(\\.\\d+)?)$", re.I | re.M)


class Mode(Enum):
    OFF = 0
    ON = 1


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Reading:
    name: str
    value: float = 0.0
    tags: List[str] = field(default_factory=list)


class Fault(Exception):
    pass


class Base(ABC):
    count = 0

    def __init__(self, name, **options):
        super().__init__()
        self._name = name
        self.options = options
        type(self).count += 1

    @property
    def name(self):
        return self._name

    @name.setter
    def name(self, value):
        self._name = value

    @staticmethod
    def scale(value, by=10):
        return value * by

    @classmethod
    def of(cls, name):
        return cls(name)

    @abstractmethod
    def read(self):
        raise NotImplementedError

    def __repr__(self):
        return "<%s %r>" % (self.__class__.__name__, self.name)

    def __eq__(self, other):
        return isinstance(other, Base) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


class Sensor(Base):
    def read(self):
        return Reading(self.name, self.scale(1.5), ["a", "b"])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is Fault

    def __iter__(self):
        yield from NAMES

    def __len__(self):
        return len(NAMES)

    def __getitem__(self, at):
        return NAMES[at]


@functools.lru_cache(maxsize=None)
def cached(number):
    return number ** 2


def counted(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


@counted
def numbers():
    whole = [int("42"), int("2a", 16), 7 // 2, 7 % 3, -7 >> 1, 1 << 20, 5 & 3 | 8, 2 ** 70]
    real = [float("1.5"), 7 / 2, round(2.567, 1), math.sqrt(2), math.floor(1.7), abs(-3.2), 1e3]
    return sum(whole), min(real), max(real), divmod(17, 5), sorted(real, key=lambda it: -it)


def texts():
    text = "Temperature: 21.5 C; Humidity: 40 %"
    parts = [part.strip().partition(":") for part in text.split(";")]
    found = {key.lower(): value.strip() for key, _, value in parts}
    lines = "\\n".join("{}={:>8}".format(key, value) for key, value in sorted(found.items()))
    lines += f"\\n{len(found)!r:>4} {math.pi:.3f} {255:#x} {1234567:,}" + "%05.1f %-6s|%d" % (2.5, "x", 3)
    lines = lines.replace("=", ": ").title().upper().casefold().encode("utf-8").decode("utf-8", "replace")
    checks = (text.startswith("Temp"), text.endswith("%"), text.find("C"), text.isdigit(), "21" in text,
              text.count("i"), text[2:8:2], text.ljust(50).rjust(60).zfill(70), str(None), repr(text))
    return lines, checks, string.ascii_letters, ",".join(map(str, range(3))).splitlines()


def structures():
    table = {"a": 1, "b": [1, 2, {"c": None}], **LIMITS}
    table.update(d=True)
    table.setdefault("e", []).append((1, 2))
    items = list(range(10))
    items.extend([3, 1])
    items.insert(0, items.pop())
    items.remove(3)
    items.sort(reverse=True)
    unique = set(items) | {1, 2} & frozenset((2, 3)) - {9}
    order = collections.OrderedDict(sorted(table.items(), key=lambda pair: pair[0]))
    many = collections.defaultdict(list)
    for number, name in enumerate(NAMES):
        many[name].append(number)
    ring = collections.deque(maxlen=5)
    ring.append(1)
    Point = collections.namedtuple("Point", "x y")
    first, *rest = zip(items, reversed(items))
    pairs = [(a, b) for a in items for b in unique if a > b and a is not b]
    return (copy.deepcopy(table), order, dict(many), ring, Point(1, 2)._replace(x=3), first, rest, pairs,
            any(items), all(unique), list(filter(None, items)), table.get("z", "no"), table.pop("a", None),
            list(itertools.chain(items, ring)), bytearray(b"ab") + bytes([1]), collections.Counter("aab"))


def formats():
    message = json.dumps({"id": 1, "values": [1.5, None, True, "x\\u00e9"], "nested": {"k": {}}}, indent=1)
    back = json.loads(message)
    try:
        json.loads("{broken")
    except ValueError as error:
        back["error"] = str(error)
    root = ET.fromstring("<plugin key='a'><params><param field='Address'>x</param></params></plugin>")
    fields = [param.attrib.get("field") for param in root.iter("param")]
    root.find("params").text = "y"
    shown = ET.tostring(root)
    query = urllib.parse.urlencode({"type": "command", "param": "getdevices"})
    parsed = urllib.parse.urlparse("http://user@127.0.0.1:8080/json.htm?" + query)
    urllib.parse.parse_qs(parsed.query), urllib.parse.quote("a b/c"), urllib.parse.unquote("a%20b")
    request = urllib.request.Request("http://127.0.0.1/", headers={"Accept": "*/*"})
    frame = struct.pack("<BHfI", 1, 2, 3.5, 4) + binascii.unhexlify("a0b1")
    struct.unpack("<BH", frame[:3]), binascii.hexlify(frame), int.from_bytes(frame[:2], "big")
    digest = hashlib.md5(frame).hexdigest() + hashlib.sha256(frame).hexdigest()
    digest += base64.b64encode(hmac.new(b"key", frame, hashlib.sha1).digest()).decode("ascii")
    match = PATTERN.search("temp = 21.5\\nhum=40")
    groups = match.groupdict() if match else {}
    return (back, fields, shown, request, digest, groups, PATTERN.findall("a=1"), re.sub(r"\\W+", "_", "a b"),
            re.split(r"[;,]", "a;b"), re.match(r"\\d", "x"))


def times():
    now = datetime.datetime.now()
    then = datetime.datetime(2026, 1, 2, 3, 4, 5) + timedelta(minutes=5)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time()))
    return (now > then, then.isoformat(), then.strftime("%d.%m.%Y %H:%M"), (now - then).total_seconds(),
            datetime.datetime.fromtimestamp(0), datetime.date.today().weekday(), stamp, time.monotonic(),
            datetime.datetime.strptime("2026-01-02", "%Y-%m-%d"), then.replace(hour=1).timestamp(), then.time())


def faults():
    for action in (lambda: 1 / 0, lambda: {}["x"], lambda: [][1], lambda: int("x"), lambda: None.x, lambda: len(1)):
        try:
            action()
        except (ZeroDivisionError, KeyError, IndexError):
            continue
        except Exception as error:
            traceback.format_exception(type(error), error, error.__traceback__)
        else:
            break
        finally:
            pass
    with Sensor("s"):
        raise Fault("as planned")


def shared():
    lock, done, work = threading.RLock(), threading.Event(), queue.Queue()
    with lock:
        work.put_nowait(("a", 1))
        done.set()
    log = logging.getLogger("plugin")
    log.setLevel(logging.INFO)
    log.debug("%s", work.get_nowait())
    return (done.is_set(), threading.current_thread().name, threading.Thread(target=faults, daemon=True), log,
            threading.Timer(1, faults), threading.local(), socket.AF_INET, os.path.join("a", "b"), os.sep,
            os.path.basename("/x/y.txt"), sys.version_info >= (3, 4), sys.platform, uuid.UUID(int=5),
            random.Random(1).randint(1, 6), getattr(sys, "nothing", None), os.environ.get("HOME"))


def onStart():
    global sensors
    sensors = [Sensor(name, unit=number) for number, name in enumerate(NAMES)]
    sensors.append(Sensor.of("hall"))
    for sensor in sensors:
        sensor.name = sensor.name + "!"
        sensor.read().tags.append(repr(sensor))
    results = [part() for part in (numbers, texts, structures, formats, times, faults, shared)]
    results.append([Mode(1), Mode["OFF"].name, Level.LOW + 1, cached(3), cached(3), set(sensors)])
    results.append(isinstance(results, (list, tuple)) and hasattr(sensors[0], "read") and callable(onStart))
'''
