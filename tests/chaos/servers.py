"""Peers of plugins that can be killed and come back at the same port: an HTTP server and a broker."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


class Server:
    """A program that listens on a port."""

    def __init__(self, stage):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = None
        self.start()
        stage.later(self.kill)

    def command(self):
        """The program and its arguments."""
        raise NotImplementedError

    def start(self):
        """Starts it and waits until it listens."""
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise OSError("%s does not listen on port %d" % (type(self).__name__, self.port))

    def kill(self):
        """Ends it without a word to its clients."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Broker(Server):
    """Mosquitto, which takes everybody."""

    def __init__(self, stage):
        self.folder = tempfile.mkdtemp(prefix="cordon-chaos-broker-")
        stage.later(lambda: shutil.rmtree(self.folder, ignore_errors=True))
        super().__init__(stage)

    def command(self):
        path = os.path.join(self.folder, "broker.conf")
        with open(path, "w") as file:
            file.write("listener %d 127.0.0.1\nallow_anonymous true\n" % self.port)
        return ["mosquitto", "-c", path]


class Stub(Server):
    """An HTTP server that answers every request with a figure, over connections that are kept."""

    def command(self):
        return [sys.executable, os.path.abspath(__file__), str(self.port)]


async def _answer(reader, writer):
    body = b'{"figure": 21.5}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    try:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head + body)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def _serve(port):
    server = await asyncio.start_server(_answer, "127.0.0.1", port, backlog=500)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
