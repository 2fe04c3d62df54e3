# A weather station on the local network, as plugins of this size are usually written:
# constants, a parser, a few classes, a state machine, debug helpers.
import base64
import datetime
import hashlib
import json
import math
import re
import struct
import threading
import time
from collections import OrderedDict, deque

import Domoticz

HEARTBEAT = 10
RECONNECT_AFTER = 6
STALE_AFTER = 300
BUFFER_LIMIT = 65536
PROTOCOL_VERSION = 3

UNIT_TEMPERATURE = 1
UNIT_HUMIDITY = 2
UNIT_PRESSURE = 3
UNIT_WIND = 4
UNIT_RAIN = 5
UNIT_SUN = 6
UNIT_UV = 7
UNIT_BATTERY = 8
UNIT_SOIL_FIRST = 20
UNIT_SOIL_LAST = 27
UNIT_RELAY_FIRST = 40
UNIT_RELAY_LAST = 47
UNIT_MODE = 60

FRAME_START = 0xA5
FRAME_TYPES = {
    0x01: "hello",
    0x02: "reading",
    0x03: "event",
    0x04: "answer",
    0x05: "error",
    0x10: "relay",
    0x11: "config",
    0x7F: "ping",
}

ERRORS = {
    1: "unknown command",
    2: "bad checksum",
    3: "value out of range",
    4: "station is busy",
    5: "not authorised",
    6: "firmware is too old",
}

DEVICES = OrderedDict([
    (UNIT_TEMPERATURE, {"name": "Temperature", "type": "Temperature", "options": {}}),
    (UNIT_HUMIDITY, {"name": "Humidity", "type": "Humidity", "options": {}}),
    (UNIT_PRESSURE, {"name": "Pressure", "type": "Barometer", "options": {}}),
    (UNIT_WIND, {"name": "Wind", "type": "Wind", "options": {}}),
    (UNIT_RAIN, {"name": "Rain", "type": "Rain", "options": {}}),
    (UNIT_SUN, {"name": "Sun", "type": "Solar Radiation", "options": {}}),
    (UNIT_UV, {"name": "UV", "type": "UV", "options": {}}),
    (UNIT_BATTERY, {"name": "Battery", "type": "Percentage", "options": {}}),
    (UNIT_MODE, {"name": "Mode", "type": "Selector Switch", "options": {
        "LevelActions": "|||",
        "LevelNames": "Off|Normal|Fast|Service",
        "LevelOffHidden": "false",
        "SelectorStyle": "1",
    }}),
])

COMFORT = (
    (0, 30, 1),
    (30, 45, 0),
    (45, 60, 2),
    (60, 101, 3),
)

WIND_NAMES = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
              "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")

LINE = re.compile(r"^(?P<key>[a-z_]+)(\[(?P<index>\d+)\])?\s*=\s*(?P<value>-?\d+(\.\d+)?)\s*(?P<unit>\w*)$")


class StationError(Exception):
    """Something the station answered that cannot be used."""

    def __init__(self, code, text=None):
        self.code = code
        self.text = text or ERRORS.get(code, "error %d" % code)
        Exception.__init__(self, self.text)


class Frame:
    """One message of the station's binary protocol."""

    def __init__(self, kind, sequence, payload=b""):
        self.kind = kind
        self.sequence = sequence
        self.payload = payload

    @staticmethod
    def checksum(data):
        total = 0
        for byte in data:
            total = (total * 31 + byte) & 0xFFFF
        return total

    def encode(self):
        body = struct.pack(">BBH", self.kind, self.sequence & 0xFF, len(self.payload))
        body += self.payload
        return bytes([FRAME_START]) + body + struct.pack(">H", self.checksum(body))

    @classmethod
    def decode(cls, data):
        """Returns a frame and how many bytes it took, or None and 0."""
        start = data.find(bytes([FRAME_START]))
        if start < 0:
            return None, len(data)
        if len(data) - start < 7:
            return None, start
        kind, sequence, size = struct.unpack_from(">BBH", data, start + 1)
        end = start + 5 + size
        if len(data) < end + 2:
            return None, start
        body = data[start + 1:end]
        expected, = struct.unpack_from(">H", data, end)
        if cls.checksum(body) != expected:
            raise StationError(2)
        return cls(kind, sequence, bytes(body[4:])), end + 2

    def __repr__(self):
        return "<%s %d, %d bytes>" % (FRAME_TYPES.get(self.kind, "?"), self.sequence, len(self.payload))


class Average:
    """A running average over a time."""

    def __init__(self, seconds, digits=1):
        self.seconds = seconds
        self.digits = digits
        self.values = deque()

    def add(self, value, now=None):
        now = now or time.time()
        self.values.append((now, value))
        while self.values and now - self.values[0][0] > self.seconds:
            self.values.popleft()

    def get(self, default=0.0):
        if not self.values:
            return default
        total = sum(value for _, value in self.values)
        return round(total / len(self.values), self.digits)

    def span(self):
        if not self.values:
            return 0.0
        values = [value for _, value in self.values]
        return max(values) - min(values)

    def clear(self):
        self.values.clear()


class RainCounter:
    """Turns a counter that wraps into millimetres of the day."""

    WRAP = 0x10000

    def __init__(self, per_tip=0.2):
        self.per_tip = per_tip
        self.last = None
        self.total = 0.0
        self.today = 0.0
        self.day = None

    def update(self, tips, today):
        if self.day != today:
            self.day = today
            self.today = 0.0
        if self.last is not None:
            new = (tips - self.last) % self.WRAP
            if new < 1000:
                self.total += new * self.per_tip
                self.today += new * self.per_tip
        self.last = tips
        return self.today

    def rate(self, tips_per_hour):
        return int(tips_per_hour * self.per_tip * 100)


class Reading:
    """One set of values, from a line protocol or from a frame."""

    FIELDS = ("temperature", "humidity", "pressure", "wind", "gust", "direction",
              "tips", "sun", "uv", "battery")

    def __init__(self):
        self.values = {}
        self.soil = {}
        self.received = time.time()

    @classmethod
    def from_lines(cls, text):
        reading = cls()
        for line in text.splitlines():
            match = LINE.match(line.strip())
            if match is None:
                continue
            value = float(match.group("value"))
            if match.group("index") is not None:
                reading.soil[int(match.group("index"))] = value
            elif match.group("key") in cls.FIELDS:
                reading.values[match.group("key")] = value
        return reading

    @classmethod
    def from_payload(cls, payload):
        reading = cls()
        names = ("temperature", "humidity", "pressure", "wind", "gust", "direction", "tips", "sun")
        factors = (0.1, 1, 0.1, 0.1, 0.1, 1, 1, 1)
        numbers = struct.unpack_from(">hBHHHHHH", payload)
        for name, factor, number in zip(names, factors, numbers):
            reading.values[name] = number * factor
        offset = struct.calcsize(">hBHHHHHH")
        for index, byte in enumerate(payload[offset:offset + 8]):
            if byte != 0xFF:
                reading.soil[index] = byte
        return reading

    @classmethod
    def from_json(cls, text):
        reading = cls()
        data = json.loads(text)
        for name in cls.FIELDS:
            if name in data:
                reading.values[name] = float(data[name])
        for index, value in enumerate(data.get("soil", [])):
            if value is not None:
                reading.soil[index] = value
        return reading

    def get(self, name, default=None):
        return self.values.get(name, default)

    def dew_point(self):
        temperature, humidity = self.get("temperature"), self.get("humidity")
        if temperature is None or not humidity:
            return None
        gamma = math.log(humidity / 100.0) + 17.62 * temperature / (243.12 + temperature)
        return round(243.12 * gamma / (17.62 - gamma), 1)

    def chill(self):
        temperature, wind = self.get("temperature"), self.get("wind", 0.0)
        if temperature is None or temperature > 10 or wind < 1.3:
            return temperature
        speed = (wind * 3.6) ** 0.16
        return round(13.12 + 0.6215 * temperature - 11.37 * speed + 0.3965 * temperature * speed, 1)

    def is_stale(self):
        return time.time() - self.received > STALE_AFTER


class BasePlugin:
    """The plugin: connection, state, devices."""

    def __init__(self):
        self.connection = None
        self.buffer = bytearray()
        self.sequence = 0
        self.waiting = {}
        self.beats = 0
        self.silent = 0
        self.station = None
        self.reading = None
        self.rain = RainCounter()
        self.temperature = Average(600)
        self.wind = Average(120, 2)
        self.lock = threading.Lock()
        self.mode = 10
        self.secret = ""
        self.format = "frames"

    def onStart(self):
        if Parameters.get("Mode6", "0") not in ("", "0"):
            Domoticz.Debugging(int(Parameters["Mode6"]))
            dump_parameters()
        self.secret = Parameters.get("Password", "")
        self.format = Parameters.get("Mode1", "") or "frames"
        Domoticz.Heartbeat(HEARTBEAT)

    def onStop(self):
        Domoticz.Debug("onStop called")
        with self.lock:
            self.waiting.clear()

    def connect(self):
        self.connection = Domoticz.Connection(
            Name="Station", Transport="TCP/IP", Protocol="None",
            Address=Parameters["Address"], Port=Parameters["Port"])
        self.connection.Connect()

    def onConnect(self, Connection, Status, Description):
        if Status != 0:
            Domoticz.Error("cannot connect to %s:%s: %s" % (
                Connection.Address, Connection.Port, Description))
            self.silent = 0
            return
        Domoticz.Status("connected to the station")
        self.buffer.clear()
        self.send(0x01, self.hello())

    def hello(self):
        nonce = int(time.time())
        digest = hashlib.sha256(("%d:%s" % (nonce, self.secret)).encode()).digest()
        return struct.pack(">BI", PROTOCOL_VERSION, nonce) + base64.b64encode(digest[:12])

    def send(self, kind, payload=b"", callback=None):
        with self.lock:
            self.sequence = (self.sequence + 1) & 0xFF
            if callback is not None:
                self.waiting[self.sequence] = (time.time(), callback)
        frame = Frame(kind, self.sequence, payload)
        Domoticz.Debug("sending %r" % frame)
        self.connection.Send(frame.encode())

    def onMessage(self, Connection, Data):
        self.silent = 0
        if self.format == "lines":
            return self.use(Reading.from_lines(Data.decode("utf-8", "replace")))
        if self.format == "json":
            return self.use(Reading.from_json(Data.decode("utf-8")))
        self.buffer.extend(Data)
        if len(self.buffer) > BUFFER_LIMIT:
            Domoticz.Error("the station sends no frames, the buffer is dropped")
            self.buffer.clear()
        while self.buffer:
            try:
                frame, used = Frame.decode(self.buffer)
            except StationError as error:
                Domoticz.Error("bad frame: %s" % error)
                del self.buffer[:1]
                continue
            del self.buffer[:used]
            if frame is None:
                break
            self.handle(frame)

    def handle(self, frame):
        name = FRAME_TYPES.get(frame.kind)
        handler = getattr(self, "handle_%s" % name, None) if name else None
        if handler is None:
            Domoticz.Debug("ignored %r" % frame)
            return
        try:
            handler(frame)
        except (struct.error, ValueError, KeyError) as error:
            Domoticz.Error("%r cannot be used: %s" % (frame, error))

    def handle_hello(self, frame):
        version, flags = struct.unpack_from(">BB", frame.payload)
        name = frame.payload[2:].decode("utf-8", "replace")
        self.station = {"version": version, "flags": flags, "name": name}
        Domoticz.Log("station %s, protocol %d, flags %02x" % (name, version, flags))
        if version < PROTOCOL_VERSION:
            raise StationError(6)

    def handle_reading(self, frame):
        self.use(Reading.from_payload(frame.payload))

    def handle_event(self, frame):
        code, value = struct.unpack_from(">BH", frame.payload)
        if code == 1:
            update(UNIT_BATTERY, 0, str(min(100, value)))
        elif code == 2:
            Domoticz.Status("the station was opened")
        else:
            Domoticz.Debug("event %d with %d" % (code, value))

    def handle_answer(self, frame):
        with self.lock:
            since, callback = self.waiting.pop(frame.sequence, (None, None))
        if callback is not None:
            Domoticz.Debug("answer after %.2f s" % (time.time() - since))
            callback(frame.payload)

    def handle_error(self, frame):
        error = StationError(frame.payload[0] if frame.payload else 0)
        Domoticz.Error("the station says: %s" % error)

    def handle_ping(self, frame):
        self.send(0x7F, frame.payload)

    def use(self, reading):
        self.reading = reading
        self.use_air(reading)
        self.use_wind(reading)
        self.use_rain(reading)
        self.use_light(reading)
        for index, moisture in sorted(reading.soil.items()):
            unit = UNIT_SOIL_FIRST + index
            if unit <= UNIT_SOIL_LAST:
                update(unit, int(moisture), str(int(moisture)))

    def use_air(self, reading):
        temperature = reading.get("temperature")
        if temperature is not None:
            self.temperature.add(temperature)
            update(UNIT_TEMPERATURE, 0, "%.1f" % self.temperature.get())
        humidity = reading.get("humidity")
        if humidity is not None:
            update(UNIT_HUMIDITY, int(humidity), str(comfort(humidity)))
        pressure = reading.get("pressure")
        if pressure is not None:
            update(UNIT_PRESSURE, 0, "%.1f;%d" % (pressure, forecast(pressure, self.temperature.span())))

    def use_wind(self, reading):
        speed = reading.get("wind")
        if speed is None:
            return
        self.wind.add(speed)
        direction = int(reading.get("direction", 0)) % 360
        gust = reading.get("gust", speed)
        update(UNIT_WIND, 0, "%d;%s;%d;%d;%s;%s" % (
            direction, wind_name(direction), int(self.wind.get() * 10), int(gust * 10),
            reading.get("temperature", 0.0), reading.chill()))

    def use_rain(self, reading):
        tips = reading.get("tips")
        if tips is None:
            return
        today = datetime.date.fromtimestamp(reading.received)
        amount = self.rain.update(int(tips), today)
        update(UNIT_RAIN, 0, "%d;%.1f" % (self.rain.rate(0), amount))

    def use_light(self, reading):
        sun = reading.get("sun")
        if sun is not None:
            update(UNIT_SUN, 0, "%.1f" % sun)
        uv = reading.get("uv")
        if uv is not None:
            update(UNIT_UV, 0, "%.1f;0" % uv)

    def onCommand(self, Unit, Command, Level, Color):
        Domoticz.Debug("command %s for unit %d, level %s" % (Command, Unit, Level))
        if UNIT_RELAY_FIRST <= Unit <= UNIT_RELAY_LAST:
            on = Command == "On"
            payload = struct.pack(">BB", Unit - UNIT_RELAY_FIRST, on)
            self.send(0x10, payload, lambda answer: update(Unit, int(on), Command))
        elif Unit == UNIT_MODE:
            self.mode = Level
            self.send(0x11, json.dumps({"mode": Level // 10}).encode(),
                      lambda answer: update(UNIT_MODE, 2 if Level else 0, str(Level)))
        else:
            Domoticz.Error("unit %d takes no commands" % Unit)

    def onTimeout(self, Connection):
        Domoticz.Error("the station is silent")
        Connection.Disconnect()

    def onDisconnect(self, Connection):
        Domoticz.Status("disconnected from the station")
        self.connection = None
        self.station = None

    def onHeartbeat(self):
        self.beats += 1
        self.silent += 1
        self.forget_old()
        if self.connection is None or not self.connection.Connected():
            if self.beats % RECONNECT_AFTER == 0 and Parameters.get("Address"):
                self.connect()
        elif self.silent > 3:
            self.send(0x7F, struct.pack(">I", self.beats))
        if self.reading is not None and self.reading.is_stale():
            Domoticz.Error("no reading for %d seconds" % STALE_AFTER)
            self.reading = None

    def forget_old(self):
        now = time.time()
        with self.lock:
            old = [number for number, (since, _) in self.waiting.items() if now - since > 30]
            for number in old:
                del self.waiting[number]
        if old:
            Domoticz.Debug("no answer to %s" % old)


def comfort(humidity):
    for low, high, status in COMFORT:
        if low <= humidity < high:
            return status
    return 0


def wind_name(direction):
    return WIND_NAMES[int((direction + 11.25) / 22.5) % 16]


def forecast(pressure, span):
    if pressure < 1000:
        return 4
    if pressure < 1010:
        return 3 if span > 2 else 2
    return 1


def update(unit, number, text, always=False):
    if unit not in Devices:
        entry = DEVICES.get(unit)
        if entry is None:
            return False
        Domoticz.Device(Name=entry["name"], Unit=unit, TypeName=entry["type"],
                        Options=entry["options"], Used=1).Create()
        if unit not in Devices:
            return False
    device = Devices[unit]
    if always or device.nValue != number or device.sValue != text:
        device.Update(nValue=number, sValue=text)
        Domoticz.Debug("%s is now %d, '%s'" % (device.Name, number, text))
        return True
    return False


def dump_parameters():
    for name in Parameters:
        if Parameters[name] != "":
            Domoticz.Debug("'%s': '%s'" % (name, Parameters[name]))
    Domoticz.Debug("%d devices" % len(Devices))
    for unit in Devices:
        Domoticz.Debug("%d: %s" % (unit, Devices[unit]))


_plugin = BasePlugin()


def onStart():
    _plugin.onStart()


def onStop():
    _plugin.onStop()


def onConnect(Connection, Status, Description):
    _plugin.onConnect(Connection, Status, Description)


def onMessage(Connection, Data):
    _plugin.onMessage(Connection, Data)


def onCommand(Unit, Command, Level, Color):
    _plugin.onCommand(Unit, Command, Level, Color)


def onTimeout(Connection):
    _plugin.onTimeout(Connection)


def onDisconnect(Connection):
    _plugin.onDisconnect(Connection)


def onHeartbeat():
    _plugin.onHeartbeat()
