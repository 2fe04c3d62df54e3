"""The replacements of modules that Python dropped, under the interpreter at hand."""

import importlib.util
import io
import os
import socket
import sys
import tempfile
import threading
import unittest

from plugin_case import RUNTIME

COMPAT = os.path.join(RUNTIME[-1], "compat")


def load(name, file=None):
    """Our module, whatever the interpreter has under that name."""
    path = os.path.join(COMPAT, file or name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Case(unittest.TestCase):
    def setUp(self):
        before = dict(sys.modules)
        path = list(sys.path)
        sys.path[:0] = RUNTIME

        def put_back():
            sys.path[:] = path
            for name in set(sys.modules) - set(before):
                del sys.modules[name]
            sys.modules.update(before)

        self.addCleanup(put_back)


class Telnet(Case):
    def peer(self, *steps):
        """A server that sends bytes and expects bytes, step by step."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.received = []

        def serve():
            connection, _ = listener.accept()
            with connection:
                for step in steps:
                    if isinstance(step, int):
                        self.received.append(connection.recv(step))
                    else:
                        connection.sendall(step)

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        self.module = load("telnetlib")
        client = self.module.Telnet("127.0.0.1", listener.getsockname()[1], timeout=20)
        self.addCleanup(client.close)
        return client

    def test_a_login(self):
        client = self.peer(b"login: ", 100, b"Password: ", 100, b"hello\r\n$ ")
        self.assertEqual(client.read_until(b"login: ", 20), b"login: ")
        client.write(b"me\n")
        self.assertEqual(client.read_until(b": ", 20), b"Password: ")
        client.write(b"a\xffb\n")
        self.assertEqual(client.read_all(), b"hello\r\n$ ")
        self.assertEqual(self.received, [b"me\n", b"a\xff\xffb\n"])
        with self.assertRaises(EOFError):
            client.read_very_eager()

    def test_options_are_refused(self):
        client = self.peer(b"\xff\xfd\x18a\xff\xfb\x01b\xff\xffc\xff\xf1\0d", 3, 3)
        self.assertEqual(client.read_all(), b"ab\xffcd")
        self.assertEqual(self.received, [b"\xff\xfc\x18", b"\xff\xfe\x01"])

    def test_a_callback_takes_over_the_options(self):
        client = self.peer(b"\xff\xfb\x01\xff\xfa\x18\x01\xff\xff\xff\xf0end")
        seen = []
        client.set_option_negotiation_callback(
            lambda sock, command, option: seen.append((command, option, client.read_sb_data()))
        )
        self.assertEqual(client.read_all(), b"end")
        m = self.module
        self.assertEqual(seen, [(m.WILL, m.ECHO, b""), (m.SE, m.NOOPT, b"\x18\x01\xff")])

    def test_expect_tells_which_pattern_matched(self):
        client = self.peer(b"one two three")
        index, match, text = client.expect([b"nine", b"t(w)o"], 20)
        self.assertEqual((index, match.group(1), text), (1, b"w", b"one two"))
        self.assertEqual(client.read_all(), b" three")

    def test_what_is_there_is_returned_when_the_time_is_up(self):
        client = self.peer(b"half", 100)
        self.assertEqual(client.expect([b"whole"], 0.2), (-1, None, b"half"))
        self.assertEqual(client.read_until(b"more", 0.1), b"")
        client.write(b"done")

    def test_a_command_in_two_pieces(self):
        client = load("telnetlib").Telnet()
        client.sock, far = socket.socketpair()
        self.addCleanup(far.close)
        self.addCleanup(client.close)
        for piece in (b"a\xff", b"\xff", b"b\xff\xfa\x01", b"x\xff", b"\xf0c"):
            client.rawq = piece
            client.process_rawq()
        self.assertEqual((client.cookedq, client.read_sb_data()), (b"a\xffbc", b"\x01x"))


class Asynchat(Case):
    def test_lines_and_blocks(self):
        asyncore = sys.modules["asyncore"] = load("asyncore")
        asynchat = load("asynchat")
        near, far = socket.socketpair()
        self.addCleanup(far.close)
        got = []

        class Lines(asynchat.async_chat):
            def __init__(self, sock):
                super().__init__(sock)
                self.set_terminator(b"\r\n")

            def collect_incoming_data(self, data):
                self._collect_incoming_data(data)

            def found_terminator(self):
                got.append(self._get_data())
                self.set_terminator(3 if len(got) == 1 else b"\r\n")

        chat = Lines(near)
        far.sendall(b"first\r")
        asyncore.poll(1)
        far.sendall(b"\nabcrest\r\n")
        asyncore.poll(1)
        self.assertEqual(got, [b"first", b"abc", b"rest"])
        chat.push(b"answer")
        asyncore.poll(1)
        self.assertEqual(far.recv(100), b"answer")
        far.close()
        asyncore.loop(1, count=5)
        self.assertEqual(asyncore.socket_map, {})


class Small(Case):
    def test_versions(self):
        version = load("distutils.version", "distutils/version.py")
        loose = version.LooseVersion
        self.assertTrue(loose("1.5.1") < loose("1.5.10") < "1.13" and loose("2g6") > "2"[:1])
        strict = version.StrictVersion
        self.assertTrue(strict("1.2a1") < "1.2b2" < strict("1.2") == "1.2.0")
        self.assertEqual((str(strict("1.2.0")), str(loose("1.5b"))), ("1.2", "1.5b"))
        self.assertRaises(ValueError, strict, "1.2.3.4")

    def test_forms(self):
        cgi = load("cgi")
        body = (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="n.bin"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n\x01\x02\r\n--x--\r\n"
        )
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
            "QUERY_STRING": "q=1",
        }
        form = cgi.FieldStorage(io.BytesIO(body), environ=environ)
        self.assertEqual((form.getvalue("a"), form.getfirst("q")), ("value", "1"))
        self.assertEqual((form["f"].filename, form["f"].file.read()), ("n.bin", b"\x01\x02"))
        form = cgi.FieldStorage(environ={"REQUEST_METHOD": "GET", "QUERY_STRING": "a=1&a=2"})
        self.assertEqual((form.getlist("a"), "b" in form), (["1", "2"], False))

    def test_uuencoded_files(self):
        uu = load("uu")
        encoded, decoded = io.BytesIO(), io.BytesIO()
        uu.encode(io.BytesIO(bytes(range(200))), encoded, "name", 0o644)
        encoded.seek(0)
        uu.decode(encoded, decoded)
        self.assertEqual(decoded.getvalue(), bytes(range(200)))

    def test_modules_by_hand(self):
        imp = load("imp")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "by_hand.py"), "w") as file:
                file.write("value = 3\n")
            found = imp.find_module("by_hand", [folder])
            with found[0]:
                module = imp.load_module("by_hand", *found)
            self.assertEqual(module.value, 3)
            self.assertRaises(ImportError, imp.find_module, "nosuch", [folder])

    def test_signals_are_kept_and_raised_by_hand(self):
        signal = load("signal")
        seen = []
        signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
        signal.raise_signal(15)
        self.assertEqual(seen, [15])
        self.assertRaises(KeyboardInterrupt, signal.raise_signal, signal.SIGINT)
        self.assertRaises(OSError, signal.alarm, 1)
        self.assertEqual(signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.SIG_DFL)

    def test_semaphores(self):
        made = load("_multiprocessing").SemLock
        lock = made(1, 1, 1, "n", True)
        self.assertTrue(lock.acquire() and not lock.acquire(False) and not lock.acquire(True, 0.01))
        lock.release()
        self.assertRaises(ValueError, lock.release)
        again = made(0, 1, 1, "n", True)
        self.assertTrue(again.acquire() and again.acquire())
        again.release()
        self.assertTrue(again._is_mine())
        again.release()
        self.assertFalse(again._is_mine())
