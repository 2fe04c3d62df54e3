"""A port of the hub's machine.

Reads and writes block the calling thread only. Closing a port, or ``cancel_read``
and ``cancel_write``, from another thread wakes it. Nothing is buffered on the way:
what is not read waits in the kernel.
"""

import errno
import os

import _cordon_serial as hub

from serial.serialutil import (
    PARITY_EVEN, PARITY_NONE, PARITY_ODD, PortNotOpenError, SerialBase, SerialException,
    SerialTimeoutException, Timeout, to_bytes,
)

# Most bytes of one read or write.
CHUNK = 65536

_PARITIES = {PARITY_NONE: 0, PARITY_ODD: 1, PARITY_EVEN: 2}

_RTS, _DTR, _BREAK = range(3)


def _nanoseconds(seconds):
    return None if seconds is None else max(0, int(seconds * 1e9))


def _answer(result):
    """The value of a call, or the exception for its failure."""
    word, value = result
    if word is None:
        return value
    if word == "closed":
        raise PortNotOpenError()
    if word == "failed":
        number = value
        raise SerialException(number, os.strerror(number))
    if word == "denied":
        raise SerialException(errno.EACCES, value)
    numbers = {"not-found": errno.ENOENT, "busy": errno.EBUSY, "too-many": errno.EMFILE}
    number = numbers[word]
    raise SerialException(number, os.strerror(number))


class Serial(SerialBase):
    """``serial.Serial``."""

    def __init__(self, *args, **kwargs):
        self._handle = None
        super().__init__(*args, **kwargs)

    def _how(self):
        """The settings as the hub takes them."""
        if self._parity not in _PARITIES:
            raise ValueError(
                "parity %r is not supported by the hub's ports; use 'N', 'E' or 'O'" % self._parity
            )
        if self._stopbits not in (1, 2):
            raise ValueError("%r stop bits are not supported by the hub's ports" % self._stopbits)
        if self._xonxoff and self._rtscts:
            raise ValueError("xonxoff and rtscts together are not supported by the hub's ports")
        if not 0 < self._baudrate < 1 << 32:
            raise ValueError("Not a valid baudrate: %r" % self._baudrate)
        flow = 1 if self._xonxoff else 2 if self._rtscts else 0
        return (
            self._baudrate, self._bytesize, _PARITIES[self._parity], int(self._stopbits), flow
        )

    def open(self):
        """Opens the port with the settings of now."""
        if self._port is None:
            raise SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise SerialException("Port is already open.")
        how = self._how()
        try:
            self._handle = _answer(hub.open(self._port, how, bool(self._exclusive)))
        except SerialException as error:
            raise SerialException(
                error.errno, "could not open port %s: %s" % (self._port, error.strerror)
            ) from None
        self.is_open = True
        # Ports without lines, such as pseudo-terminals, are ports as well.
        for set_by_hand, update in (
            (not self._dsrdtr, self._update_dtr_state), (not self._rtscts, self._update_rts_state),
        ):
            if set_by_hand:
                try:
                    update()
                except SerialException:
                    pass
        self.reset_input_buffer()

    def close(self):
        """Closes it; who waits for it gets ``PortNotOpenError``."""
        if self.is_open:
            self.is_open = False
            hub.close(self._handle)
            self._handle = None

    def __del__(self):
        self.close()

    def _reconfigure_port(self):
        # Timeouts and the like are kept on this side.
        how = self._how()
        _answer(hub.configure(self._number(), how))

    def _number(self):
        handle = self._handle
        if handle is None:
            raise PortNotOpenError()
        return handle

    @property
    def in_waiting(self):
        """Bytes that can be read now."""
        return _answer(hub.waiting(self._number()))[0]

    @property
    def out_waiting(self):
        """Bytes that have not left yet."""
        return _answer(hub.waiting(self._number()))[1]

    def read(self, size=1):
        """Reads ``size`` bytes; fewer when the timeout is over."""
        handle = self._number()
        if size is None or size < 0:
            return self.readall()
        parts = bytearray()
        timeout = Timeout(self._timeout)
        while len(parts) < size:
            wait = timeout.time_left()
            if parts and self._inter_byte_timeout is not None:
                between = self._inter_byte_timeout
                wait = between if wait is None else min(wait, between)
            more = min(size - len(parts), CHUNK)
            data = _answer(hub.read(handle, more, _nanoseconds(wait)))
            if not data:
                # Too late, or cancelled.
                break
            parts += data
            if timeout.is_non_blocking:
                break
        return bytes(parts)

    def write(self, b, /):
        """Writes everything; returns the number of bytes."""
        handle = self._number()
        data = memoryview(to_bytes(b))
        size = len(data)
        timeout = Timeout(self._write_timeout)
        while data:
            wait = _nanoseconds(timeout.time_left())
            written = _answer(hub.write(handle, bytes(data[:CHUNK]), wait))
            data = data[written:]
            if timeout.is_non_blocking:
                break
            if not written:
                if timeout.expired():
                    raise SerialTimeoutException("Write timeout")
                # Cancelled.
                break
        return size - len(data)

    def flush(self):
        """Waits until everything has left."""
        if self.closed or self._handle is None:
            raise PortNotOpenError()
        _answer(hub.drain(self._number()))

    def reset_input_buffer(self):
        """Drops what was received and not read."""
        _answer(hub.clear(self._number(), True, False))

    def reset_output_buffer(self):
        """Drops what was written and not sent."""
        _answer(hub.clear(self._number(), False, True))

    def cancel_read(self):
        """Lets a read in another thread return with what it has."""
        if self.is_open:
            hub.cancel_read(self._handle)

    def cancel_write(self):
        """Lets a write in another thread return with what it has done."""
        if self.is_open:
            hub.cancel_write(self._handle)

    def _update_rts_state(self):
        _answer(hub.signal(self._number(), _RTS, self._rts_state))

    def _update_dtr_state(self):
        _answer(hub.signal(self._number(), _DTR, self._dtr_state))

    def _update_break_state(self):
        _answer(hub.signal(self._number(), _BREAK, self._break_state))

    def _line(self, which):
        return _answer(hub.status(self._number()))[which]

    @property
    def cts(self):
        """Clear to send."""
        return self._line(0)

    @property
    def dsr(self):
        """Data set ready."""
        return self._line(1)

    @property
    def ri(self):
        """Ring indicator."""
        return self._line(2)

    @property
    def cd(self):
        """Carrier detect."""
        return self._line(3)

    def nonblocking(self):
        """Reads return at once from now on."""
        self.timeout = 0


class PosixPollSerial(Serial):
    """An alternative of pyserial's; here they are all one."""


class VTIMESerial(Serial):
    """An alternative of pyserial's; here they are all one."""
