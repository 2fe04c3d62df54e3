"""``socket://HOST:PORT``: a TCP connection as a port, for serial servers.

Settings are accepted and change nothing: the other end has the port.
"""

import socket
import threading
from urllib.parse import urlsplit

from serial.serialutil import (
    PortNotOpenError, SerialBase, SerialException, SerialTimeoutException, Timeout, to_bytes,
)

# Seconds to connect within.
CONNECT = 5


class Serial(SerialBase):
    """A port at the other end of a TCP connection."""

    def __init__(self, *args, **kwargs):
        self._socket = None
        # What was received and not read; for `in_waiting`.
        self._bytes = bytearray()
        self._reading = threading.Lock()
        super().__init__(*args, **kwargs)

    def open(self):
        if self._port is None:
            raise SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise SerialException("Port is already open.")
        host, port = self.from_url(self._port)
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT)
        except OSError as error:
            raise SerialException(
                error.errno, "Could not open port %s: %s" % (self._port, error)
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bytes.clear()
        self.is_open = True

    def from_url(self, url):
        """Host and port of the URL."""
        parts = urlsplit(url)
        try:
            if parts.scheme != "socket" or not parts.hostname or parts.port is None:
                raise ValueError("host and port are needed")
        except ValueError as error:
            raise SerialException(
                'expected a string in the form "socket://<host>:<port>": %s' % error
            ) from None
        return parts.hostname, parts.port

    def close(self):
        if self.is_open:
            self.is_open = False
            connection, self._socket = self._socket, None
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def _reconfigure_port(self):
        pass

    def _receive(self, size, seconds):
        """Up to ``size`` bytes, or none when the time is over."""
        connection = self._socket
        if connection is None:
            raise PortNotOpenError()
        try:
            connection.settimeout(seconds)
            data = connection.recv(size)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            if not self.is_open:
                raise PortNotOpenError() from None
            raise SerialException(error.errno, "connection failed (%s)" % error) from error
        if not data:
            if not self.is_open:
                raise PortNotOpenError()
            raise SerialException("socket disconnected")
        return data

    @property
    def in_waiting(self):
        self._require_open()
        if not self._bytes and self._reading.acquire(blocking=False):
            try:
                self._bytes += self._receive(4096, 0)
            finally:
                self._reading.release()
        return len(self._bytes)

    @property
    def out_waiting(self):
        self._require_open()
        return 0

    def read(self, size=1):
        self._require_open()
        data = bytearray()
        timeout = Timeout(self._timeout)
        with self._reading:
            while len(data) < size:
                more = size - len(data)
                if self._bytes:
                    part = bytes(self._bytes[:more])
                    del self._bytes[:more]
                else:
                    part = self._receive(more, timeout.time_left())
                if not part:
                    break
                data += part
        return bytes(data)

    def write(self, b, /):
        self._require_open()
        data = to_bytes(b)
        done = 0
        timeout = Timeout(self._write_timeout)
        while done < len(data):
            connection = self._socket
            if connection is None:
                raise PortNotOpenError()
            try:
                connection.settimeout(timeout.time_left())
                done += connection.send(data[done:])
            except (TimeoutError, BlockingIOError):
                if timeout.is_non_blocking:
                    return done
                raise SerialTimeoutException("Write timeout") from None
            except OSError as error:
                raise SerialException(error.errno, "connection failed (%s)" % error) from error
        return done

    def flush(self):
        self._require_open()

    def reset_input_buffer(self):
        self._require_open()
        while self.in_waiting:
            self._bytes.clear()

    def reset_output_buffer(self):
        self._require_open()

    def _update_rts_state(self):
        pass

    def _update_dtr_state(self):
        pass

    def _update_break_state(self):
        pass

    def _line(self):
        self._require_open()
        return True

    cts = dsr = cd = property(_line)

    @property
    def ri(self):
        self._require_open()
        return False
