"""The package ``serial``: the parts that need no port of the hub."""

import socket
import sys
import threading
import time
import types
import unittest

from plugin_case import runtime_on_path

sys.modules.setdefault("_cordon_serial", types.ModuleType("_cordon_serial"))

with runtime_on_path():
    import serial
    import serial.rfc2217
    import serial.threaded
    from serial.tools.list_ports_common import ListPortInfo

IAC, SB, SE, COM_PORT = 255, 250, 240, 44


class Server(threading.Thread):
    """A TCP server for one client; ``handle`` gets the bytes and returns the answer."""

    def __init__(self, handle):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.handle = handle
        self.received = bytearray()
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        with client:
            while data := client.recv(4096):
                self.received += data
                client.sendall(self.handle(data))
        self.listener.close()


class ComPort:
    """The server's part of RFC 2217, as far as the tests look at it."""

    def __init__(self):
        self.settings = {}
        self.refuses = ()

    def __call__(self, data):
        answer = bytearray()
        while data:
            if data[0] != IAC:
                answer += data[:1]
                data = data[1:]
            elif data[1] == IAC:
                answer += data[:2]
                data = data[2:]
            elif data[1] == SB:
                end = data.index(bytes([IAC, SE]))
                command, value = data[3], data[4:end]
                self.settings[command] = value
                if command in self.refuses:
                    value = b"\x00" * len(value)
                answer += bytes([IAC, SB, COM_PORT, command + 100]) + value + bytes([IAC, SE])
                # CTS and DSR are on.
                answer += bytes([IAC, SB, COM_PORT, 107, 0x30, IAC, SE])
                data = data[end + 2 :]
            else:
                if data[1] == 251:
                    answer += bytes([IAC, 253, data[2]])
                data = data[3:]
        return bytes(answer)


class Loop(unittest.TestCase):
    def test_lines_and_timeouts(self):
        with serial.serial_for_url("loop://", timeout=0.05) as port:
            self.assertEqual(port.write(b"one\ntwo"), 7)
            self.assertEqual(port.in_waiting, 7)
            self.assertEqual(port.readline(), b"one\n")
            self.assertEqual(port.read(10), b"two")
            self.assertEqual(port.read(1), b"")
        self.assertRaises(serial.PortNotOpenError, port.read)

    def test_cancel_and_close_wake_a_reader(self):
        port = serial.serial_for_url("loop://")
        results = []

        def read():
            results.append(port.read(5))
            try:
                port.read(5)
            except serial.SerialException as error:
                results.append(type(error))

        thread = threading.Thread(target=read)
        thread.start()
        time.sleep(0.05)
        port.cancel_read()
        time.sleep(0.05)
        port.close()
        thread.join(5)
        self.assertEqual(results, [b"", serial.PortNotOpenError])

    def test_a_full_port_times_out(self):
        port = serial.serial_for_url("loop://", write_timeout=0.05)
        self.assertRaises(serial.SerialTimeoutException, port.write, bytes(10_000))

    def test_protocols_get_their_packets(self):
        got = []

        class Lines(serial.threaded.LineReader):
            def handle_line(self, line):
                got.append(line)

        port = serial.serial_for_url("loop://")
        with serial.threaded.ReaderThread(port, Lines) as protocol:
            protocol.write_line("first")
            protocol.write_line("second")
            end = time.monotonic() + 10
            while len(got) < 2 and time.monotonic() < end:
                time.sleep(0.01)
        self.assertEqual(got, ["first", "second"])
        self.assertFalse(port.is_open)


class Settings(unittest.TestCase):
    def test_wrong_values_are_refused(self):
        port = serial.serial_for_url("loop://", do_not_open=True)
        self.assertFalse(port.is_open)
        for name, value in (
            ("baudrate", "fast"),
            ("baudrate", -1),
            ("bytesize", 9),
            ("parity", "X"),
            ("stopbits", 3),
            ("timeout", -1),
            ("write_timeout", "1"),
        ):
            with self.assertRaises(ValueError, msg=name):
                setattr(port, name, value)
        self.assertRaises(ValueError, serial.Serial, nonsense=1)
        self.assertRaises(ValueError, serial.serial_for_url, "x://y")
        self.assertRaises(TypeError, serial.to_bytes, "text")

    def test_settings_are_taken_over(self):
        port = serial.Serial(baudrate=1200, timeout=3, writeTimeout=4)
        other = serial.Serial()
        other.apply_settings(port.get_settings())
        self.assertEqual((other.baudrate, other.timeout, other.write_timeout), (1200, 3, 4))

    def test_a_port_is_a_tuple_of_three(self):
        info = ListPortInfo("/dev/ttyUSB0")
        info.vid, info.pid, info.product = 0x403, 0x6001, "Adapter"
        info.apply_usb_info()
        self.assertEqual(tuple(info), ("/dev/ttyUSB0", "Adapter", "USB VID:PID=0403:6001"))
        self.assertEqual(info.name, "ttyUSB0")


class Network(unittest.TestCase):
    def test_a_socket_is_a_port(self):
        server = Server(lambda data: data.upper())
        with serial.serial_for_url("socket://127.0.0.1:%d" % server.port, timeout=5) as port:
            port.write(b"hello\n")
            self.assertEqual(port.readline(), b"HELLO\n")
            port.timeout = 0.05
            self.assertEqual(port.read(1), b"")
            self.assertEqual(port.in_waiting, 0)

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with self.assertRaises(serial.SerialException):
            serial.serial_for_url("socket://127.0.0.1:%d" % port)
        with self.assertRaises(serial.SerialException):
            serial.serial_for_url("socket://127.0.0.1")

    def test_rfc2217_sets_the_port(self):
        com = ComPort()
        server = Server(com)
        url = "rfc2217://127.0.0.1:%d" % server.port
        with serial.serial_for_url(url, 19200, parity="E", stopbits=2, timeout=5) as port:
            self.assertEqual(com.settings[1], (19200).to_bytes(4, "big"))
            self.assertEqual((com.settings[3], com.settings[4]), (b"\x03", b"\x02"))
            port.baudrate = 9600
            self.assertEqual(com.settings[1], (9600).to_bytes(4, "big"))
            port.rts = False
            self.assertEqual(com.settings[5], b"\x0c")
            self.assertTrue(port.cts and port.dsr)
            self.assertFalse(port.ri or port.cd)
            data = bytes(range(256))
            port.write(data)
            self.assertEqual(port.read(256), data)

    def test_rfc2217_refusals_are_errors(self):
        com = ComPort()
        com.refuses = (1,)
        server = Server(com)
        with self.assertRaises(ValueError):
            serial.serial_for_url("rfc2217://127.0.0.1:%d" % server.port, 19200)


if __name__ == "__main__":
    unittest.main()
