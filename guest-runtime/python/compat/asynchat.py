"""Conversations of lines or blocks over ``asyncore``."""

import asyncore
from collections import deque


class simple_producer:
    """Hands out bytes in pieces."""

    def __init__(self, data, buffer_size=512):
        self.data = data
        self.buffer_size = buffer_size

    def more(self):
        piece, self.data = self.data[: self.buffer_size], self.data[self.buffer_size :]
        return piece


class async_chat(asyncore.dispatcher):
    """Collects data until a terminator arrives; sends its own data in order."""

    ac_in_buffer_size = 65536
    ac_out_buffer_size = 65536
    use_encoding = 0
    encoding = "latin-1"

    def __init__(self, sock=None, map=None):
        self.ac_in_buffer = b""
        self.incoming = []
        self.producer_fifo = deque()
        self.terminator = b"\r\n"
        super().__init__(sock, map)

    def collect_incoming_data(self, data):
        raise NotImplementedError("must be implemented in subclass")

    def found_terminator(self):
        raise NotImplementedError("must be implemented in subclass")

    def _collect_incoming_data(self, data):
        self.incoming.append(data)

    def _get_data(self):
        data, self.incoming = b"".join(self.incoming), []
        return data

    def set_terminator(self, term):
        """Bytes, a length, or ``None`` for no end at all."""
        if isinstance(term, str) and self.use_encoding:
            term = term.encode(self.encoding)
        elif isinstance(term, int) and term < 0:
            raise ValueError("the number of received bytes must be positive")
        self.terminator = term

    def get_terminator(self):
        return self.terminator

    def handle_read(self):
        try:
            data = self.recv(self.ac_in_buffer_size)
        except BlockingIOError:
            return
        self.ac_in_buffer += data
        while self.ac_in_buffer:
            if not self._consume():
                break

    def _consume(self):
        """Takes one piece from the buffer; false when more has to arrive."""
        end = self.get_terminator()
        if not end:
            self._hand_over(len(self.ac_in_buffer))
            return True
        if isinstance(end, int):
            length = min(end, len(self.ac_in_buffer))
            self.terminator = end - length
            self._hand_over(length)
            if self.terminator == 0:
                self.found_terminator()
            return True
        at = self.ac_in_buffer.find(end)
        if at >= 0:
            if at:
                self._hand_over(at)
            self.ac_in_buffer = self.ac_in_buffer[len(end) :]
            self.found_terminator()
            return True
        # The last bytes may be the beginning of the terminator.
        kept = find_prefix_at_end(self.ac_in_buffer, end)
        if kept != len(self.ac_in_buffer):
            self._hand_over(len(self.ac_in_buffer) - kept)
        return False

    def _hand_over(self, length):
        data, self.ac_in_buffer = self.ac_in_buffer[:length], self.ac_in_buffer[length:]
        self.collect_incoming_data(data)

    def handle_write(self):
        self.initiate_send()

    def handle_close(self):
        self.close()

    def push(self, data):
        size = self.ac_out_buffer_size
        for at in range(0, len(data), size):
            self.producer_fifo.append(bytes(data[at : at + size]))
        self.initiate_send()

    def push_with_producer(self, producer):
        self.producer_fifo.append(producer)
        self.initiate_send()

    def readable(self):
        return True

    def writable(self):
        return bool(self.producer_fifo) or not self.connected

    def close_when_done(self):
        self.producer_fifo.append(None)

    def initiate_send(self):
        while self.producer_fifo and self.connected:
            first = self.producer_fifo.popleft()
            if first is None:
                self.handle_close()
                return
            if not isinstance(first, bytes):
                data = first.more()
                if not data:
                    continue
                self.producer_fifo.appendleft(first)
                first = data
            if not first:
                continue
            sent = self.send(first)
            if sent < len(first):
                self.producer_fifo.appendleft(first[sent:])
                return

    def discard_buffers(self):
        self.ac_in_buffer = b""
        self.incoming.clear()
        self.producer_fifo.clear()


def find_prefix_at_end(haystack, needle):
    """How many bytes at the end could be the beginning of ``needle``."""
    length = len(needle) - 1
    while length and not haystack.endswith(needle[:length]):
        length -= 1
    return length
