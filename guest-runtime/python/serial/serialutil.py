"""What all kinds of ports have in common: constants, errors, settings.

The hub's ports know the parities none, odd and even, one or two stop bits, and one
kind of flow control at a time. The constants of the others are here; using them
raises ``ValueError``, as for a device that cannot do it.
"""

import io
import time

XON = bytes([17])
XOFF = bytes([19])
CR = bytes([13])
LF = bytes([10])

PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE = "N", "E", "O", "M", "S"
STOPBITS_ONE, STOPBITS_ONE_POINT_FIVE, STOPBITS_TWO = 1, 1.5, 2
FIVEBITS, SIXBITS, SEVENBITS, EIGHTBITS = 5, 6, 7, 8

PARITY_NAMES = {
    PARITY_NONE: "None",
    PARITY_EVEN: "Even",
    PARITY_ODD: "Odd",
    PARITY_MARK: "Mark",
    PARITY_SPACE: "Space",
}

__all__ = [
    "XON", "XOFF", "CR", "LF", "PARITY_NONE", "PARITY_EVEN", "PARITY_ODD", "PARITY_MARK",
    "PARITY_SPACE", "STOPBITS_ONE", "STOPBITS_ONE_POINT_FIVE", "STOPBITS_TWO", "FIVEBITS",
    "SIXBITS", "SEVENBITS", "EIGHTBITS", "PARITY_NAMES", "SerialException",
    "SerialTimeoutException", "PortNotOpenError", "writeTimeoutError", "portNotOpenError",
    "SerialBase", "Timeout", "to_bytes", "iterbytes",
]


class SerialException(IOError):
    """Whatever goes wrong with a port."""


class SerialTimeoutException(SerialException):
    """Writing took longer than ``write_timeout``."""


class PortNotOpenError(SerialException):
    """A call that needs an open port."""

    def __init__(self):
        super().__init__("Attempting to use a port that is not open")


# Instances that older programs raise and compare with.
writeTimeoutError = SerialTimeoutException("Write timeout")
portNotOpenError = PortNotOpenError()


def to_bytes(seq):
    """Bytes of what may be written; text has to be encoded by the caller."""
    if isinstance(seq, bytes):
        return seq
    if isinstance(seq, (bytearray, memoryview)):
        return bytes(seq)
    if isinstance(seq, str):
        raise TypeError("unicode strings are not supported, please encode to bytes: %r" % (seq,))
    return bytes(bytearray(seq))


def iterbytes(b):
    """One byte after the other, each as bytes."""
    for value in bytes(b):
        yield bytes([value])


class Timeout:
    """A time that runs out: never (``None``), at once (0) or after some seconds."""

    TIME = staticmethod(time.monotonic)

    def __init__(self, duration):
        self.is_infinite = duration is None
        self.is_non_blocking = duration == 0
        self.restart(duration)

    def expired(self):
        """Whether it has run out."""
        return self.target_time is not None and self.time_left() <= 0

    def time_left(self):
        """Seconds that are left, or ``None`` for ever."""
        if self.is_non_blocking:
            return 0
        if self.is_infinite:
            return None
        return max(0, self.target_time - self.TIME())

    def restart(self, duration):
        """Starts it again."""
        self.duration = duration
        self.target_time = None if duration is None else self.TIME() + duration


def _seconds(value, what):
    if value is None:
        return None
    try:
        value + 1
    except TypeError:
        raise ValueError("Not a valid %s: %r" % (what, value)) from None
    if value < 0:
        raise ValueError("Not a valid %s: %r" % (what, value))
    return value


def _setting(name, check, doc):
    """A property that is checked, kept, and applied when the port is open."""
    hidden = "_" + name

    def get(self):
        return getattr(self, hidden)

    def put(self, value):
        value = check(self, value)
        before = getattr(self, hidden)
        setattr(self, hidden, value)
        if self.is_open:
            try:
                self._reconfigure_port()
            except Exception:
                setattr(self, hidden, before)
                raise

    return property(get, put, doc=doc)


def _baudrate(port, value):
    try:
        rate = int(value)
    except (TypeError, ValueError):
        rate = -1
    if rate < 0:
        raise ValueError("Not a valid baudrate: %r" % (value,))
    return rate


def _one_of(what, attribute):
    def check(port, value):
        if value not in getattr(port, attribute):
            raise ValueError("Not a valid %s: %r" % (what, value))
        return value

    return check


class SerialBase(io.RawIOBase):
    """The part of a port that needs no port."""

    BAUDRATES = (
        50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
        57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000,
        2000000, 2500000, 3000000, 3500000, 4000000,
    )
    BYTESIZES = (FIVEBITS, SIXBITS, SEVENBITS, EIGHTBITS)
    PARITIES = (PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE)
    STOPBITS = (STOPBITS_ONE, STOPBITS_ONE_POINT_FIVE, STOPBITS_TWO)

    _SETTINGS = (
        "baudrate", "bytesize", "parity", "stopbits", "xonxoff", "dsrdtr", "rtscts",
        "timeout", "write_timeout", "inter_byte_timeout",
    )

    def __init__(self, port=None, baudrate=9600, bytesize=EIGHTBITS, parity=PARITY_NONE,
                 stopbits=STOPBITS_ONE, timeout=None, xonxoff=False, rtscts=False,
                 write_timeout=None, dsrdtr=False, inter_byte_timeout=None,
                 exclusive=None, **kwargs):
        self.is_open = False
        self.portstr = None
        self.name = None
        self._port = None
        self._baudrate = self._bytesize = self._parity = self._stopbits = None
        self._timeout = self._write_timeout = self._inter_byte_timeout = None
        self._xonxoff = self._rtscts = self._dsrdtr = False
        self._exclusive = None
        self._rs485_mode = None
        self._rts_state = self._dtr_state = True
        self._break_state = False
        self.port = port
        self.baudrate = baudrate
        self.bytesize = bytesize
        self.parity = parity
        self.stopbits = stopbits
        self.timeout = timeout
        self.write_timeout = kwargs.pop("writeTimeout", write_timeout)
        self.xonxoff = xonxoff
        self.rtscts = rtscts
        self.dsrdtr = dsrdtr
        self.inter_byte_timeout = kwargs.pop("interCharTimeout", inter_byte_timeout)
        self.exclusive = exclusive
        if kwargs:
            raise ValueError("unexpected keyword arguments: %r" % (kwargs,))
        if port is not None:
            self.open()

    @property
    def port(self):
        """Path or URL, or ``None``."""
        return self._port

    @port.setter
    def port(self, port):
        if port is not None and not isinstance(port, str):
            raise ValueError('"port" must be None or a string, not %s' % type(port))
        was_open = self.is_open
        if was_open:
            self.close()
        self._port = self.portstr = self.name = port
        if was_open:
            self.open()

    baudrate = _setting("baudrate", _baudrate, "Bits per second.")
    bytesize = _setting("bytesize", _one_of("byte size", "BYTESIZES"), "Bits per character.")
    parity = _setting("parity", _one_of("parity", "PARITIES"), "Check bit.")
    stopbits = _setting("stopbits", _one_of("stop bit size", "STOPBITS"), "Stop bits.")
    timeout = _setting(
        "timeout", lambda port, value: _seconds(value, "timeout"),
        "Seconds that a read waits for all of its bytes; None for ever, 0 not at all.",
    )
    write_timeout = _setting(
        "write_timeout", lambda port, value: _seconds(value, "timeout"),
        "Seconds that a write may take; None for ever.",
    )
    inter_byte_timeout = _setting(
        "inter_byte_timeout", lambda port, value: _seconds(value, "timeout"),
        "Seconds between two bytes after which a read returns what it has.",
    )
    xonxoff = _setting("xonxoff", lambda port, value: bool(value), "Flow control by characters.")
    rtscts = _setting("rtscts", lambda port, value: bool(value), "Flow control by RTS and CTS.")
    dsrdtr = _setting(
        "dsrdtr",
        lambda port, value: port._rtscts if value is None else bool(value),
        "Flow control by DSR and DTR, which no driver here does; kept only.",
    )
    exclusive = _setting(
        "exclusive", lambda port, value: value, "Whether nobody else may open the port."
    )

    @property
    def rts(self):
        """The line RTS, as it was set."""
        return self._rts_state

    @rts.setter
    def rts(self, value):
        self._rts_state = bool(value)
        if self.is_open:
            self._update_rts_state()

    @property
    def dtr(self):
        """The line DTR, as it was set."""
        return self._dtr_state

    @dtr.setter
    def dtr(self, value):
        self._dtr_state = bool(value)
        if self.is_open:
            self._update_dtr_state()

    @property
    def break_condition(self):
        """Whether the data line is held, as it was set."""
        return self._break_state

    @break_condition.setter
    def break_condition(self, value):
        self._break_state = bool(value)
        if self.is_open:
            self._update_break_state()

    @property
    def rs485_mode(self):
        """Always ``None``: the hub does not switch ports to RS-485."""
        return self._rs485_mode

    @rs485_mode.setter
    def rs485_mode(self, settings):
        if settings is not None:
            raise ValueError(
                "RS-485 mode is not supported; use an adapter that switches direction by itself"
            )

    def _require_open(self):
        if not self.is_open:
            raise PortNotOpenError()

    def get_settings(self):
        """All settings as a dictionary, for ``apply_settings``."""
        return {name: getattr(self, "_" + name) for name in self._SETTINGS}

    def apply_settings(self, d):
        """Takes settings over that differ."""
        for name in self._SETTINGS:
            if name in d and d[name] != getattr(self, "_" + name):
                setattr(self, name, d[name])

    def __repr__(self):
        shown = ("baudrate", "bytesize", "parity", "stopbits", "timeout", "xonxoff", "rtscts",
                 "dsrdtr")
        return "%s<id=0x%x, open=%s>(port=%r, %s)" % (
            type(self).__name__, id(self), self.is_open, self.portstr,
            ", ".join("%s=%r" % (name, getattr(self, name)) for name in shown),
        )

    def __enter__(self):
        if self._port is not None and not self.is_open:
            self.open()
        return self

    def __exit__(self, *exception):
        self.close()

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return False

    def fileno(self):
        raise io.UnsupportedOperation("a serial port has no descriptor here; read it in a thread")

    def readinto(self, b):
        view = memoryview(b).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def readall(self):
        """Reads until a read finds nothing within the timeout."""
        parts = []
        while part := self.read(max(1, self.in_waiting)):
            parts.append(part)
        return b"".join(parts)

    def read_all(self):
        """What is there now."""
        return self.read(self.in_waiting)

    def read_until(self, expected=LF, size=None):
        """Reads up to and with ``expected``, ``size`` bytes, or what came in time."""
        line = bytearray()
        timeout = Timeout(self._timeout)
        while True:
            byte = self.read(1)
            if not byte:
                break
            line += byte
            if line.endswith(expected) or (size is not None and len(line) >= size):
                break
            if timeout.expired():
                break
        return bytes(line)

    def iread_until(self, *args, **kwargs):
        """Yields what ``read_until`` reads until it reads nothing."""
        while line := self.read_until(*args, **kwargs):
            yield line

    def readline(self, size=-1, /):
        """A line with its end, or what came in time."""
        limit = None if size is None or size < 0 else size
        if limit == 0:
            return b""
        line = bytearray()
        while limit is None or len(line) < limit:
            byte = self.read(1)
            if not byte:
                break
            line += byte
            if byte == LF:
                break
        return bytes(line)

    def send_break(self, duration=0.25):
        """Holds the data line for so many seconds."""
        self._require_open()
        self.break_condition = True
        time.sleep(duration)
        self.break_condition = False

    # Names of pyserial 2.

    def isOpen(self):
        return self.is_open

    def inWaiting(self):
        return self.in_waiting

    def flushInput(self):
        self.reset_input_buffer()

    def flushOutput(self):
        self.reset_output_buffer()

    def sendBreak(self, duration=0.25):
        self.send_break(duration)

    def setRTS(self, value=1):
        self.rts = value

    def setDTR(self, value=1):
        self.dtr = value

    def setBreak(self, value=1):
        self.break_condition = value

    def getCTS(self):
        return self.cts

    def getDSR(self):
        return self.dsr

    def getRI(self):
        return self.ri

    def getCD(self):
        return self.cd

    def setPort(self, port):
        self.port = port

    def setBaudrate(self, value):
        self.baudrate = value

    def setTimeout(self, value):
        self.timeout = value

    def getSettingsDict(self):
        return self.get_settings()

    def applySettingsDict(self, d):
        self.apply_settings(d)

    @property
    def writeTimeout(self):
        return self.write_timeout

    @writeTimeout.setter
    def writeTimeout(self, value):
        self.write_timeout = value

    @property
    def interCharTimeout(self):
        return self.inter_byte_timeout

    @interCharTimeout.setter
    def interCharTimeout(self, value):
        self.inter_byte_timeout = value
