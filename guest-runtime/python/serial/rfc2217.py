"""A port behind a server that speaks Telnet's option for serial ports (RFC 2217).

The client's part: settings, lines, break and purging are sent to the server, which
has to confirm them. What the server tells of the other end's lines is kept.
"""

import threading
from urllib.parse import urlsplit

from serial.serialutil import SerialException, Timeout
from serial.urlhandler import protocol_socket

# Telnet.
IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
BINARY, SUPPRESS_GO_AHEAD, COM_PORT = 0, 3, 44

# Commands of the option; answers are these plus 100.
SET_BAUDRATE, SET_DATASIZE, SET_PARITY, SET_STOPSIZE, SET_CONTROL = 1, 2, 3, 4, 5
NOTIFY_MODEMSTATE, PURGE_DATA = 7, 12
ANSWER = 100

_PARITIES = {"N": 1, "O": 2, "E": 3, "M": 4, "S": 5}
_STOPBITS = {1: 1, 2: 2, 1.5: 3}
_NO_FLOW, _SOFTWARE, _HARDWARE = 1, 2, 3
_BREAK = {True: 5, False: 6}
_DTR = {True: 8, False: 9}
_RTS = {True: 11, False: 12}
_PURGE_INPUT, _PURGE_OUTPUT = 1, 2

# Seconds that the server has for an answer.
PATIENCE = 3

# Longest subnegotiation that is kept; a server has no reason for more.
_LONGEST = 64


class Serial(protocol_socket.Serial):
    """A port of an RFC 2217 server."""

    def __init__(self, *args, **kwargs):
        self._answers = {}
        self._agreed = set()
        self._modem_state = 0
        self._rest = b""
        self._sending = threading.Lock()
        super().__init__(*args, **kwargs)

    def from_url(self, url):
        parts = urlsplit(url)
        try:
            if parts.scheme != "rfc2217" or not parts.hostname or parts.port is None:
                raise ValueError("host and port are needed")
        except ValueError as error:
            raise SerialException(
                'expected a string in the form "rfc2217://<host>:<port>": %s' % error
            ) from None
        return parts.hostname, parts.port

    def open(self):
        self._answers.clear()
        self._agreed.clear()
        self._rest = b""
        super().open()
        try:
            for option in (BINARY, SUPPRESS_GO_AHEAD):
                self._send_raw(bytes([IAC, WILL, option, IAC, DO, option]))
            self._send_raw(bytes([IAC, WILL, COM_PORT]))
            self._pump(lambda: COM_PORT in self._agreed, "does not speak RFC 2217")
            self._reconfigure_port()
            self._update_dtr_state()
            self._update_rts_state()
        except BaseException:
            self.close()
            raise

    def _send_raw(self, data):
        with self._sending:
            super().write(data)

    def write(self, b, /):
        data = bytes(b)
        self._send_raw(data.replace(b"\xff", b"\xff\xff"))
        return len(data)

    def _receive(self, size, seconds):
        timeout = Timeout(seconds)
        while True:
            data = self._plain(super()._receive(size, timeout.time_left()))
            # Telnet alone is no byte of the port: there may be time for more.
            if data or timeout.expired() or timeout.is_non_blocking:
                return data

    def _plain(self, received):
        """Takes Telnet out of what came."""
        data = self._rest + received
        self._rest = b""
        plain = bytearray()
        place = 0
        while place < len(data):
            if data[place] != IAC:
                end = data.find(bytes([IAC]), place)
                end = len(data) if end < 0 else end
                plain += data[place:end]
                place = end
                continue
            length = self._command(data[place:], plain)
            if length == 0:
                # The rest of it is still on its way.
                self._rest = data[place:]
                break
            place += length
        return bytes(plain)

    def _command(self, data, plain):
        """Follows the command at the start; returns its length, 0 if incomplete."""
        if len(data) < 2:
            return 0
        verb = data[1]
        if verb == IAC:
            plain.append(IAC)
            return 2
        if verb == SB:
            end = data.find(bytes([IAC, SE]))
            if end < 0:
                if len(data) > _LONGEST:
                    raise SerialException("the server's answer is too long")
                return 0
            self._negotiated(data[2:end].replace(b"\xff\xff", b"\xff"))
            return end + 2
        if verb not in (DO, DONT, WILL, WONT):
            return 2
        if len(data) < 3:
            return 0
        self._option(verb, data[2])
        return 3

    def _option(self, verb, option):
        if option in (BINARY, SUPPRESS_GO_AHEAD, COM_PORT):
            if verb == DO:
                self._agreed.add(option)
            return
        # Whatever else the server offers or wants is declined.
        if verb == DO:
            self._send_raw(bytes([IAC, WONT, option]))
        elif verb == WILL:
            self._send_raw(bytes([IAC, DONT, option]))

    def _negotiated(self, body):
        if len(body) < 2 or body[0] != COM_PORT:
            return
        command, value = body[1] - ANSWER, bytes(body[2:])
        if command == NOTIFY_MODEMSTATE:
            self._modem_state = value[0] if value else 0
        elif command >= 0:
            self._answers[command] = value

    def _pump(self, done, failure):
        """Reads until something is settled."""
        timeout = Timeout(PATIENCE)
        with self._reading:
            while not done():
                if timeout.expired():
                    raise SerialException("the server %s" % failure)
                received = super()._receive(1024, timeout.time_left())
                self._bytes += self._plain(received)

    def _ask(self, command, value):
        self._answers.pop(command, None)
        escaped = bytes(value).replace(b"\xff", b"\xff\xff")
        self._send_raw(bytes([IAC, SB, COM_PORT, command]) + escaped + bytes([IAC, SE]))
        self._pump(lambda: command in self._answers, "does not answer")
        return self._answers[command]

    def _set(self, command, value, what):
        if self._ask(command, value) != bytes(value):
            raise ValueError("the server does not take this %s" % what)

    def _reconfigure_port(self):
        self._set(SET_BAUDRATE, self._baudrate.to_bytes(4, "big"), "baudrate")
        self._set(SET_DATASIZE, bytes([self._bytesize]), "byte size")
        self._set(SET_PARITY, bytes([_PARITIES[self._parity]]), "parity")
        self._set(SET_STOPSIZE, bytes([_STOPBITS[self._stopbits]]), "stop bit size")
        flow = _HARDWARE if self._rtscts else _SOFTWARE if self._xonxoff else _NO_FLOW
        self._set(SET_CONTROL, bytes([flow]), "flow control")

    def _update_rts_state(self):
        self._ask(SET_CONTROL, bytes([_RTS[self._rts_state]]))

    def _update_dtr_state(self):
        self._ask(SET_CONTROL, bytes([_DTR[self._dtr_state]]))

    def _update_break_state(self):
        self._ask(SET_CONTROL, bytes([_BREAK[self._break_state]]))

    def reset_input_buffer(self):
        self._require_open()
        self._ask(PURGE_DATA, bytes([_PURGE_INPUT]))
        self._bytes.clear()

    def reset_output_buffer(self):
        self._require_open()
        self._ask(PURGE_DATA, bytes([_PURGE_OUTPUT]))

    def _state(bit):
        def get(self):
            self._require_open()
            return bool(self._modem_state & bit)

        return property(get)

    cts = _state(16)
    dsr = _state(32)
    ri = _state(64)
    cd = _state(128)
    del _state
