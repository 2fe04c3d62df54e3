"""Peers on loopback for bundles that talk to a device or a broker: they make connecting and sending work, no more."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import tty


class Peers:
    """Those that a bundle asks for; `places` says where each is, for `{name}` in its values and its section."""

    def __init__(self, kinds):
        self.places = {}
        self.ends = []
        for kind in kinds:
            {"sink": self.sink, "login": self.login, "mqtt": self.mqtt, "tty": self.tty}[kind]()

    def fill(self, text):
        """A text with the places in it."""
        for name, place in self.places.items():
            text = text.replace("{%s}" % name, place)
        return text

    def sink(self):
        """Takes connections and reads what comes; it never says anything."""
        self.listen("sink", lambda connection: drain(connection.recv))

    def login(self):
        """Asks for a name and a password, both at once, and is content with any."""

        def greet(connection):
            connection.sendall(b"login: password: ready> ")
            while connection.recv(4096):
                connection.sendall(b"ready> ")

        self.listen("login", greet)

    def listen(self, name, serve):
        listener = socket.create_server(("127.0.0.1", 0))
        self.places[name] = str(listener.getsockname()[1])
        self.ends.append(lambda: (listener.shutdown(socket.SHUT_RDWR), listener.close()))

        def guarded(connection):
            with connection:
                try:
                    serve(connection)
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=guarded, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()

    def mqtt(self):
        """A broker that takes everybody."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        folder = tempfile.mkdtemp(prefix="cordon-sample-broker-")
        with open(os.path.join(folder, "broker.conf"), "w") as file:
            file.write("listener %d 127.0.0.1\nallow_anonymous true\n" % port)
        broker = subprocess.Popen(
            ["mosquitto", "-c", file.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.places["mqtt"] = str(port)
        self.ends.append(
            lambda: (broker.kill(), broker.wait(), shutil.rmtree(folder, ignore_errors=True))
        )
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.1)
        raise OSError("the broker does not listen")

    def tty(self):
        """A serial port whose other end only reads."""
        device, port = os.openpty()
        tty.setraw(port)
        self.places["tty"] = os.ttyname(port)
        self.ends.append(lambda: os.close(port))
        threading.Thread(
            target=drain, args=(lambda size: os.read(device, size),), daemon=True
        ).start()

    def stop(self):
        for end in self.ends:
            try:
                end()
            except OSError:
                pass


def drain(read):
    try:
        while read(4096):
            pass
    except OSError:
        pass
