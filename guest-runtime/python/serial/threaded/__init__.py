"""Protocols on a port that a thread of its own reads."""

import threading

import serial


class Protocol:
    """What a reader calls; override what is of interest."""

    def connection_made(self, transport):
        """The reader thread has begun."""

    def data_received(self, data):
        """Bytes came."""

    def connection_lost(self, exc):
        """The thread ends: with an exception, or without because it was told to."""
        if isinstance(exc, Exception):
            raise exc


class Packetizer(Protocol):
    """Cuts what is received at a terminator."""

    TERMINATOR = b"\0"

    def __init__(self):
        self.buffer = bytearray()
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, exc):
        self.transport = None
        super().connection_lost(exc)

    def data_received(self, data):
        self.buffer.extend(data)
        while self.TERMINATOR in self.buffer:
            packet, self.buffer = self.buffer.split(self.TERMINATOR, 1)
            self.handle_packet(packet)

    def handle_packet(self, packet):
        """A packet without its terminator."""
        raise NotImplementedError("please implement functionality in handle_packet")


class FramedPacket(Protocol):
    """Packets between a start and a stop byte."""

    START = b"("
    STOP = b")"

    def __init__(self):
        self.packet = bytearray()
        self.in_packet = False
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, exc):
        self.transport = None
        self.in_packet = False
        del self.packet[:]
        super().connection_lost(exc)

    def data_received(self, data):
        for byte in serial.iterbytes(data):
            if byte == self.START:
                self.in_packet = True
            elif byte == self.STOP:
                self.in_packet = False
                self.handle_packet(bytes(self.packet))
                del self.packet[:]
            elif self.in_packet:
                self.packet.extend(byte)
            else:
                self.handle_out_of_packet_data(byte)

    def handle_packet(self, packet):
        """A packet without its frame."""
        raise NotImplementedError("please implement functionality in handle_packet")

    def handle_out_of_packet_data(self, data):
        """Bytes between packets."""


class LineReader(Packetizer):
    """Lines of text."""

    TERMINATOR = b"\r\n"
    ENCODING = "utf-8"
    UNICODE_HANDLING = "replace"

    def handle_packet(self, packet):
        self.handle_line(packet.decode(self.ENCODING, self.UNICODE_HANDLING))

    def handle_line(self, line):
        """A line without its end."""
        raise NotImplementedError("please implement functionality in handle_line")

    def write_line(self, text):
        """Writes a line and its end."""
        self.transport.write(text.encode(self.ENCODING, self.UNICODE_HANDLING) + self.TERMINATOR)


class ReaderThread(threading.Thread):
    """Reads a port and calls a protocol."""

    def __init__(self, serial_instance, protocol_factory):
        super().__init__()
        self.daemon = True
        self.serial = serial_instance
        self.protocol_factory = protocol_factory
        self.alive = True
        self._lock = threading.Lock()
        self._connection_made = threading.Event()
        self.protocol = None

    def stop(self):
        """Ends the thread and waits for it."""
        self.alive = False
        if hasattr(self.serial, "cancel_read"):
            self.serial.cancel_read()
        self.join(2)

    def run(self):
        if not hasattr(self.serial, "cancel_read"):
            self.serial.timeout = 1
        self.protocol = self.protocol_factory()
        try:
            self.protocol.connection_made(self)
        except Exception as error:
            self.alive = False
            self.protocol.connection_lost(error)
            self._connection_made.set()
            return
        error = None
        self._connection_made.set()
        while self.alive and self.serial.is_open:
            try:
                data = self.serial.read(self.serial.in_waiting or 1)
            except serial.SerialException as failure:
                # A port that was closed on purpose is no failure.
                error = failure if self.alive else None
                break
            if data:
                try:
                    self.protocol.data_received(data)
                except Exception as failure:
                    error = failure
                    break
        self.alive = False
        self.protocol.connection_lost(error)
        self.protocol = None

    def write(self, data):
        """Writes, one thread at a time."""
        with self._lock:
            return self.serial.write(data)

    def close(self):
        """Ends the thread and closes the port."""
        with self._lock:
            self.stop()
            self.serial.close()

    def connect(self):
        """Waits for the thread; returns it and its protocol."""
        if self.alive:
            self._connection_made.wait()
            if not self.alive:
                raise RuntimeError("connection_lost already called")
            return self, self.protocol
        raise RuntimeError("already stopped")

    def __enter__(self):
        self.start()
        self._connection_made.wait()
        if not self.alive:
            raise RuntimeError("connection_lost already called")
        return self.protocol

    def __exit__(self, *exception):
        self.close()
