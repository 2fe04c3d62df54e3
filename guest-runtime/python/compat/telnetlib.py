"""A Telnet client (RFC 854), as the standard library had until Python 3.12.

Owns the splitting of received bytes into text and commands, and the answer to options:
every option is refused unless the plugin sets a callback.
"""

import re
import selectors
import socket
import sys
import time

__all__ = ["Telnet"]

TELNET_PORT = 23

theNULL = b"\0"

# Commands.
IAC, DONT, DO, WONT, WILL, SB = (bytes([n]) for n in (255, 254, 253, 252, 251, 250))
GA, EL, EC, AYT, AO, IP, BRK, DM, NOP, SE = (bytes([n]) for n in range(249, 239, -1))

# Options that plugins name.
BINARY, ECHO, RCP, SGA, NAMS, STATUS, TM = (bytes([n]) for n in range(7))
LOGOUT = bytes([18])
TTYPE = bytes([24])
EOR = bytes([25])
NAWS, TSPEED, LFLOW, LINEMODE, XDISPLOC = (bytes([n]) for n in range(31, 36))
OLD_ENVIRON, AUTHENTICATION, ENCRYPT, NEW_ENVIRON = (bytes([n]) for n in range(36, 40))
COM_PORT_OPTION = bytes([44])
NOOPT = b"\0"

_RECEIVE = 4096


class Telnet:
    """A connection to a Telnet server.

    ``timeout`` in seconds is that of connecting and of reads that name none.
    """

    def __init__(self, host=None, port=0, timeout=socket._GLOBAL_DEFAULT_TIMEOUT):
        self.debuglevel = 0
        self.host = host
        self.port = port
        self.timeout = timeout
        self.sock = None
        self.eof = False
        self.option_callback = None
        self._clear()
        if host is not None:
            self.open(host, port, timeout)

    def _clear(self):
        # Received and not yet looked at; text that nobody has read yet.
        self.rawq = b""
        self.cookedq = b""
        # A command of which the end has not arrived.
        self._command = b""
        # Inside of a subnegotiation, its bytes so far.
        self._subnegotiation = None
        self.sbdataq = b""

    def open(self, host, port=0, timeout=socket._GLOBAL_DEFAULT_TIMEOUT):
        """Connects; ``OSError`` when that fails."""
        self.eof = False
        self.host = host
        self.port = port or TELNET_PORT
        self.timeout = timeout
        self._clear()
        sys.audit("telnetlib.Telnet.open", self, host, self.port)
        self.sock = socket.create_connection((host, self.port), timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def __del__(self):
        self.close()

    def close(self):
        sock, self.sock = self.sock, None
        self.eof = True
        self._command = b""
        self._subnegotiation = None
        if sock is not None:
            sock.close()

    def get_socket(self):
        return self.sock

    def fileno(self):
        return self.sock.fileno()

    def set_debuglevel(self, debuglevel):
        self.debuglevel = debuglevel

    def msg(self, msg, *args):
        """Prints events, when the debug level asks for it."""
        if self.debuglevel > 0:
            print("Telnet(%s,%s):" % (self.host, self.port), msg % args if args else msg)

    def set_option_negotiation_callback(self, callback):
        """``callback(socket, command, option)`` answers options from here on."""
        self.option_callback = callback

    def write(self, buffer):
        """Sends bytes; 255 is doubled, as the protocol wants it."""
        buffer = bytes(buffer).replace(IAC, IAC + IAC)
        sys.audit("telnetlib.Telnet.write", self, buffer)
        self.msg("send %r", buffer)
        self.sock.sendall(buffer)

    # Reading.

    def read_until(self, match, timeout=None):
        """Text up to and with ``match``; less when the time is up.

        ``EOFError`` when the connection has ended and there is no text.
        """
        end = None if timeout is None else time.monotonic() + timeout
        searched = 0
        while True:
            self.process_rawq()
            at = self.cookedq.find(match, searched)
            if at >= 0:
                return self._take(at + len(match))
            searched = max(0, len(self.cookedq) - len(match))
            if self.eof:
                break
            if not self._wait(end):
                break
            self.fill_rawq()
        return self.read_very_lazy()

    def read_all(self):
        """Everything until the connection ends."""
        self.process_rawq()
        while not self.eof:
            self.fill_rawq()
            self.process_rawq()
        return self._take(len(self.cookedq))

    def read_some(self):
        """At least one byte, or nothing at the end of the connection."""
        self.process_rawq()
        while not self.cookedq and not self.eof:
            self.fill_rawq()
            self.process_rawq()
        return self._take(len(self.cookedq))

    def read_very_eager(self):
        """The text that can be had without waiting."""
        self.process_rawq()
        while not self.eof and self.sock_avail():
            self.fill_rawq()
            self.process_rawq()
        return self.read_very_lazy()

    def read_eager(self):
        """The text that is there already; looks at the socket only when there is none."""
        self.process_rawq()
        while not self.cookedq and not self.eof and self.sock_avail():
            self.fill_rawq()
            self.process_rawq()
        return self.read_very_lazy()

    def read_lazy(self):
        """The text that was received already."""
        self.process_rawq()
        return self.read_very_lazy()

    def read_very_lazy(self):
        """Text that was taken apart already; ``EOFError`` at the end."""
        if not self.cookedq and self.eof and not self.rawq:
            raise EOFError("telnet connection closed")
        return self._take(len(self.cookedq))

    def read_sb_data(self):
        """The bytes of the last subnegotiation; each can be read once."""
        data, self.sbdataq = self.sbdataq, b""
        return data

    def expect(self, list, timeout=None):
        """Reads until one of several regular expressions matches.

        Returns its index, the match and the text up to its end; -1, ``None`` and
        the text so far when the time is up or the connection ends.
        """
        patterns = [re.compile(one) if isinstance(one, (bytes, str)) else one for one in list]
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            self.process_rawq()
            for index, pattern in enumerate(patterns):
                found = pattern.search(self.cookedq)
                if found:
                    return index, found, self._take(found.end())
            if self.eof or not self._wait(end):
                break
            self.fill_rawq()
        text = self.read_very_lazy()
        if not text and self.eof:
            raise EOFError("telnet connection closed")
        return -1, None, text

    def sock_avail(self):
        """Whether a read would return at once."""
        return self._readable(0)

    def _readable(self, timeout):
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return bool(selector.select(timeout))

    def _wait(self, end):
        """False when nothing arrived by then."""
        if end is None:
            return True
        left = end - time.monotonic()
        return self._readable(max(0, left))

    def _take(self, length):
        text, self.cookedq = self.cookedq[:length], self.cookedq[length:]
        return text

    def fill_rawq(self):
        """Receives once; blocks when there is nothing."""
        received = self.sock.recv(_RECEIVE)
        self.msg("recv %r", received)
        self.eof = not received
        self.rawq += received

    def rawq_getchar(self):
        """The next byte as it was received."""
        if not self.rawq:
            self.fill_rawq()
            if self.eof:
                raise EOFError
        char, self.rawq = self.rawq[:1], self.rawq[1:]
        return char

    def process_rawq(self):
        """Takes the received bytes apart: text, commands, subnegotiations."""
        raw, self.rawq = self.rawq, b""
        text = bytearray()
        for value in raw:
            byte = bytes([value])
            if not self._command:
                if byte == IAC:
                    self._command = IAC
                elif self._subnegotiation is not None:
                    self._subnegotiation += byte
                elif byte not in (theNULL, b"\x11"):
                    text += byte
            elif self._command == IAC:
                self._second(byte, text)
            else:
                command, self._command = self._command[1:], b""
                self._negotiate(command, byte)
        self.cookedq += bytes(text)

    def _second(self, byte, text):
        """The byte after 255."""
        if byte in (DO, DONT, WILL, WONT):
            self._command += byte
            return
        self._command = b""
        if byte == IAC:
            if self._subnegotiation is not None:
                self._subnegotiation += byte
            else:
                text += byte
        elif byte == SB:
            self._subnegotiation = b""
        elif byte == SE:
            self.sbdataq, self._subnegotiation = self._subnegotiation or b"", None
            if self.option_callback:
                self.option_callback(self.sock, SE, NOOPT)
        elif self.option_callback:
            self.option_callback(self.sock, byte, NOOPT)
        else:
            self.msg("command %d", ord(byte))

    def _negotiate(self, command, option):
        self.msg("option %d %d", ord(command), ord(option))
        if self.option_callback:
            self.option_callback(self.sock, command, option)
        elif command in (DO, DONT):
            self.sock.sendall(IAC + WONT + option)
        else:
            self.sock.sendall(IAC + DONT + option)

    def interact(self):
        from _cordon_refusal import refusal

        raise refusal("Telnet.interact", "a plugin has no terminal; use read_until and write")

    mt_interact = listener = interact
