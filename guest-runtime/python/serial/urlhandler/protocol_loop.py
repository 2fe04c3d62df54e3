"""``loop://``: what is written can be read."""

import threading

from serial.serialutil import (
    PortNotOpenError, SerialBase, SerialException, SerialTimeoutException, Timeout, to_bytes,
)

# Most bytes that wait; a writer beyond waits for a reader.
ROOM = 4096


class Serial(SerialBase):
    """A port whose output is its input, and whose lines are connected."""

    def __init__(self, *args, **kwargs):
        self._bytes = bytearray()
        self._changed = threading.Condition()
        self._cancel_read = self._cancel_write = False
        super().__init__(*args, **kwargs)

    def open(self):
        if self._port is None:
            raise SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise SerialException("Port is already open.")
        self._bytes.clear()
        self.is_open = True

    def close(self):
        with self._changed:
            self.is_open = False
            self._changed.notify_all()

    def _reconfigure_port(self):
        pass

    @property
    def in_waiting(self):
        self._require_open()
        return len(self._bytes)

    @property
    def out_waiting(self):
        self._require_open()
        return 0

    def read(self, size=1):
        self._require_open()
        data = bytearray()
        timeout = Timeout(self._timeout)
        with self._changed:
            while len(data) < size:
                if not self._bytes:
                    ready = self._changed.wait_for(
                        lambda: self._bytes or not self.is_open or self._cancel_read,
                        timeout.time_left(),
                    )
                    self._require_open()
                    if not ready or self._cancel_read:
                        self._cancel_read = False
                        break
                more = size - len(data)
                data += self._bytes[:more]
                del self._bytes[:more]
                self._changed.notify_all()
        return bytes(data)

    def write(self, b, /):
        self._require_open()
        data = to_bytes(b)
        done = 0
        timeout = Timeout(self._write_timeout)
        with self._changed:
            while done < len(data):
                ready = self._changed.wait_for(
                    lambda: len(self._bytes) < ROOM or not self.is_open or self._cancel_write,
                    timeout.time_left(),
                )
                self._require_open()
                if self._cancel_write:
                    self._cancel_write = False
                    break
                if not ready:
                    raise SerialTimeoutException("Write timeout")
                part = data[done : done + ROOM - len(self._bytes)]
                self._bytes += part
                done += len(part)
                self._changed.notify_all()
        return done

    def flush(self):
        if not self.is_open:
            raise PortNotOpenError()

    def reset_input_buffer(self):
        self._require_open()
        with self._changed:
            self._bytes.clear()
            self._changed.notify_all()

    def reset_output_buffer(self):
        self.reset_input_buffer()

    def cancel_read(self):
        with self._changed:
            self._cancel_read = True
            self._changed.notify_all()

    def cancel_write(self):
        with self._changed:
            self._cancel_write = True
            self._changed.notify_all()

    def _update_rts_state(self):
        pass

    def _update_dtr_state(self):
        pass

    def _update_break_state(self):
        pass

    @property
    def cts(self):
        self._require_open()
        return self._rts_state

    @property
    def dsr(self):
        self._require_open()
        return self._dtr_state

    @property
    def ri(self):
        self._require_open()
        return False

    @property
    def cd(self):
        self._require_open()
        return True
