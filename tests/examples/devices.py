"""The other ends: devices that follow a script, on real sockets."""

import http.server
import os
import queue
import socket
import ssl
import struct
import subprocess
import threading
import time

from hub import PATIENCE, Failed


class Line:
    """A device that listens on TCP and answers each piece that ends with `end`."""

    def __init__(self, end, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.end = end
        self.answer = answer
        self.heard = queue.Queue()
        self.stream = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.stream, _ = self.listener.accept()
            except OSError:
                return
            rest = b""
            while piece := self._receive():
                rest += piece
                while self.end in rest:
                    message, rest = rest.split(self.end, 1)
                    message = (message + self.end).decode()
                    self.heard.put(message)
                    answer = self.answer(message)
                    if answer:
                        self.send(answer)

    def _receive(self):
        try:
            return self.stream.recv(4096)
        except OSError:
            return b""

    def send(self, text):
        """Says something."""
        self.stream.sendall(text.encode())

    def hear(self, text):
        """Waits for a message that contains this."""
        return hear(self.heard, text)

    def close(self):
        self.listener.close()


def hear(heard, text):
    """Waits for an entry of the queue that contains this."""
    end = time.monotonic() + PATIENCE
    seen = []
    while True:
        try:
            message = heard.get(timeout=max(0, end - time.monotonic()))
        except queue.Empty:
            raise Failed("the device did not hear %r; it heard %r" % (text, seen)) from None
        seen.append(message)
        if text in message:
            return message


class Web:
    """An HTTP server; `answer` gets method, path, headers and body, and returns status, headers and body."""

    def __init__(self, answer):
        self.heard = heard = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length).decode()
                heard.put("%s %s" % (self.command, self.path))
                status, headers, text = answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = handle_any

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hear(self, text):
        """Waits for a request whose method and path contain this."""
        return hear(self.heard, text)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class WebSocket:
    """A server for WebSockets over TLS, with a certificate that nobody signed: text comes back in capitals."""

    def __init__(self, folder):
        certificate = os.path.join(folder, "cert.pem")
        key = os.path.join(folder, "key.pem")
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=device",
                "-keyout",
                key,
                "-out",
                certificate,
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard = queue.Queue()
        self.stream = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        import base64
        import hashlib

        stream, _ = self.listener.accept()
        stream = self.context.wrap_socket(stream, server_side=True)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.recv(1)
        lines = head.decode().split("\r\n")
        headers = dict(
            line.lower().split(": ", 1) if ": " in line else (line, "") for line in lines[1:]
        )
        key = next(
            line.split(": ", 1)[1]
            for line in lines
            if line.lower().startswith("sec-websocket-key: ")
        )
        self.heard.put("upgrade %s %s" % (lines[0], headers.get("host")))
        accept = base64.b64encode(
            hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        )
        stream.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.stream = stream
        while True:
            frame = self._frame(stream)
            if frame is None:
                return
            code, payload = frame
            self.heard.put("%d %s" % (code, payload.decode()))
            if code == 1:
                self.send(1, payload.upper())

    @staticmethod
    def _frame(stream):
        def read(count):
            data = b""
            while len(data) < count:
                try:
                    piece = stream.recv(count - len(data))
                except OSError:
                    return None
                if not piece:
                    return None
                data += piece
            return data

        head = read(2)
        if head is None:
            return None
        length = head[1] & 127
        if length == 126:
            length = struct.unpack(">H", read(2))[0]
        if not head[1] & 128:
            raise Failed("a client has to mask its frames")
        mask = read(4)
        payload = read(length)
        return head[0] & 15, bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))

    def send(self, code, payload):
        """Sends a short frame."""
        self.stream.sendall(bytes([128 | code, len(payload)]) + payload)

    def hear(self, text):
        """Waits for a frame: its code and its payload."""
        return hear(self.heard, text)

    def close(self):
        self.listener.close()


class Broker:
    """A real mosquitto, and a client of it with as much of MQTT as a script needs."""

    def __init__(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = os.path.join(folder, "mosquitto.conf")
        with open(config, "w") as file:
            file.write("listener %d 127.0.0.1\nallow_anonymous true\n" % self.port)
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        self.process = subprocess.Popen(
            ["mosquitto", "-c", config],
            env=dict(os.environ, PATH=path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.heard = queue.Queue()
        self.stream = self._connect()
        self._packet(0x10, b"\0\4MQTT\4\2\0\0" + text(b"script"))
        threading.Thread(target=self._serve, daemon=True).start()

    def _connect(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                if time.monotonic() > end:
                    raise Failed("mosquitto does not listen") from None
                time.sleep(0.05)

    def _packet(self, kind, body):
        self.stream.sendall(bytes([kind, len(body)]) + body)

    def _serve(self):
        rest = b""
        while True:
            try:
                piece = self.stream.recv(4096)
            except OSError:
                return
            if not piece:
                return
            rest += piece
            while len(rest) >= 2 and len(rest) >= 2 + rest[1]:
                kind, body, rest = rest[0], rest[2 : 2 + rest[1]], rest[2 + rest[1] :]
                if kind >> 4 == 3:
                    length = struct.unpack(">H", body[:2])[0]
                    self.heard.put(
                        "%s %s" % (body[2 : 2 + length].decode(), body[2 + length :].decode())
                    )

    def subscribe(self, topic):
        """Messages on the topic are heard from now on."""
        self._packet(0x82, b"\0\1" + text(topic.encode()) + b"\0")

    def publish(self, topic, payload):
        """Publishes without asking for an acknowledgement."""
        self._packet(0x30, text(topic.encode()) + payload.encode())

    def hear(self, message):
        """Waits for a message: its topic and its payload."""
        return hear(self.heard, message)

    def close(self):
        self.stream.close()
        self.process.terminate()
        self.process.wait()


def text(words):
    """Bytes with their length before them, as MQTT wants them."""
    return struct.pack(">H", len(words)) + words


class Serial:
    """A device on a pseudo-terminal that answers each `</Command>`."""

    def __init__(self, answer):
        import tty

        self.master, slave = os.openpty()
        # Else the terminal would echo and translate the bytes.
        tty.setraw(slave)
        self.slave = slave
        self.path = os.ttyname(slave)
        self.answer = answer
        self.heard = queue.Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        rest = b""
        while True:
            try:
                rest += os.read(self.master, 4096)
            except OSError:
                return
            while b"</Command>" in rest:
                message, rest = rest.split(b"</Command>", 1)
                message = message.decode()
                self.heard.put(message)
                for answer in self.answer(message):
                    self.send(answer)

    def send(self, answer):
        """Says something."""
        os.write(self.master, answer.encode())

    def hear(self, message):
        """Waits for a command that contains this."""
        return hear(self.heard, message)

    def close(self):
        os.close(self.master)
        os.close(self.slave)
