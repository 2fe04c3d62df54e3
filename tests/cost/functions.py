"""Calls each function of the contract with arguments of a size.

The test sends the function's name, a size and a shape as the command's text. The answer
in the log names the bytes that went in and came out.
"""

import io
import os
import random
import socket
import ssl
import subprocess
import threading
import time
import zipfile

import _cordon
import _cordon_icmp
import _cordon_processes
import _cordon_serial
import serial

CALLS = {}
R = random.Random(1)
ALPHABETS = ("x", "<&\">'", "\u20ac", ";:,|", "0123456789-.", " \t\n", "\\\"{}[]", "\x00\x1b[")


def text(size, shape):
    """A text of so many bytes at most; shapes are what parsers trip over."""
    alphabet = ALPHABETS[shape % len(ALPHABETS)]
    unit = "".join(R.choice(alphabet) for _ in range(16))
    return (unit * (size // len(unit.encode()) + 1)).encode()[:size].decode("utf-8", "ignore")


def function(name):
    def keep(call):
        CALLS[name] = call
        return call

    return keep


def plain(name, call):
    """A function whose arguments have no size."""
    CALLS[name] = lambda size, shape: (0, measured(call()))


def measured(value):
    return len(repr(value).encode()) if value is not None else 0


def row(size, shape):
    options = [(text(size // 8, shape), text(size // 8, shape)) for _ in range(shape % 3)]
    return (1, text(size // 8, shape), text(size // 4, shape), True, 243, 19, 0, 0, text(size // 4, shape),
            12, 255, 0, 1, text(size // 4, shape), text(size // 4, shape), options)


def made():
    """A row that is there."""
    rows = _cordon.devices_list()
    if rows:
        return rows[0]
    _cordon.device_create((2, "", "made", True, 243, 19, 0, 0, "", 12, 255, 0, 1, "", "", []))
    return _cordon.devices_list()[0]


plain("clock.sleep", lambda: time.sleep(0))
plain("clock.cpu-time", time.process_time)
plain("code.closed", _cordon.code_closed)
plain("storage.room", _cordon.storage)
plain("schedule.heartbeat", _cordon.heartbeat)
plain("schedule.set-heartbeat", lambda: _cordon.set_heartbeat(10))
plain("configuration.load", _cordon.configuration_load)
plain("devices.list", _cordon.devices_list)
plain("images.list", _cordon.images_list)
plain("sockets.host-name", socket.gethostname)
plain("sockets.interfaces", socket.if_nameindex)
plain("serial.ports", _cordon_serial.ports)


@function("code.keep")
def keep(size, shape):
    _cordon.code_keep(text(size, 0), b"x" * size)
    return 2 * size, 0


@function("configuration.store")
def store(size, shape):
    document = ('"%s"' % text(size, 0), "[" * min(size, 500), '{"a":%s}' % ("1" * size))[shape % 3]
    return size, measured(_cordon.configuration_store(document))


@function("devices.get")
def get(size, shape):
    return size, measured(_cordon.device_get(text(size, shape) if shape % 2 else None, 2))


@function("devices.create")
def create(size, shape):
    given = row(size, shape)
    out = measured(_cordon.device_create(given))
    for each in _cordon.devices_list():
        if each[1] != 2:
            _cordon.device_delete(each[0])
    return measured(given), out


@function("devices.update")
def update(size, shape):
    keys = ("name", "s_value", "description", "color", "device_id")
    change = {"n_value": 1, "s_value": text(size, shape)}
    change[keys[shape % len(keys)]] = text(size, shape)
    return measured(change), measured(_cordon.device_update(made()[0], change))


@function("devices.delete")
def delete(size, shape):
    return 0, measured(_cordon.device_delete(made()[0]))


@function("devices.touch")
def touch(size, shape):
    return 0, measured(_cordon.device_touch(made()[0]))


@function("images.create")
def images(size, shape):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("icons.txt", text(size, shape) if shape % 2 else "Cost;Cost;Cost\n")
        for name in ("Cost.png", "Cost48_On.png", "Cost48_Off.png"):
            pack.writestr(name, os.urandom(size) if shape % 4 < 2 else b"\x89PNG\r\n\x1a\n" + bytes(size))
    archive = archive.getvalue()
    out = measured(_cordon.image_create(archive))
    for image in _cordon.images_list():
        _cordon.image_delete(image[0])
    return len(archive) + 4 * size, out


@function("images.delete")
def image_delete(size, shape):
    return 0, measured(_cordon.image_delete(size))


@function("log.write")
def write(size, shape):
    _cordon.log(0, shape % 2, text(size, shape))
    return size, 0


@function("notifier.register")
def register(size, shape):
    _cordon.notifier_register(text(size, shape))
    return size, 0


def connection(size, shape):
    transport = ("TCP/IP", "UDP/IP", "Serial", "TLS/IP", text(size, 0))[shape % 5]
    protocol = ("None", "Line", "JSON", "XML", "HTTP", "WS", "MQTT", text(size, 0))[shape % 8]
    made = Domoticz.Connection(Name=text(size, shape), Transport=transport, Protocol=protocol,
                               Address=text(size, shape) if shape % 3 else "127.0.0.1", Port="1")
    return made


KEPT = []


@function("connections.connect")
def connect(size, shape):
    KEPT[:] = [connection(size, shape)]
    KEPT[0].Connect()
    return 3 * size, 0


@function("connections.listen")
def listen(size, shape):
    KEPT[:] = [connection(size, shape)]
    KEPT[0].Listen()
    return 3 * size, 0


@function("connections.send")
def send(size, shape):
    KEPT[:] = [connection(64, shape)]
    if shape % 8 in (4, 5, 6):  # HTTP, WS, MQTT take dictionaries
        message = {"Verb": text(size, 0), "URL": text(size, 0), "Headers": {text(size // 8, 0): text(size // 8, 0)},
                   "Data": text(size, shape), "Topic": text(size, 0), "Payload": text(size, shape)}
    else:
        message = text(size, shape)
    KEPT[0].Send(message)
    return 6 * size, 0


plain("connections.disconnect", lambda: [made.Disconnect() for made in KEPT] and None)
plain("connections.release", KEPT.clear)
plain("connections.status", lambda: [made.Connected() for made in KEPT])


@function("icmp.echo")
def echo(size, shape):
    host = text(size, shape) if shape % 2 else "127.0.0.1"
    return 2 * size, measured(_cordon_icmp.echo(host, 50, min(size, 60000), None))


@function("processes.find")
def find(size, shape):
    return size, measured(_cordon_processes.find(text(size, 0)))


@function("processes.spawn")
def spawn(size, shape):
    words = [text(max(1, size // 16), 0) for _ in range(16)]
    try:
        done = subprocess.run(["/bin/echo", *words], stdout=subprocess.PIPE, timeout=5)
    except OSError as error:
        return 2 * size, measured(error)
    return 2 * size, len(done.stdout)


def cat(size, timeout=5):
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        out = process.communicate(b"x" * size, timeout=timeout)[0]
    return size, len(out)


@function("processes.exchange")
def exchange(size, shape):
    return cat(size)


@function("processes.read")
def read(size, shape):
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        sent = process.stdin.write(b"x" * min(size, 4096))
        process.stdin.close()
        got = process.stdout.read(size)
    return sent, len(got)


CALLS["processes.write"] = CALLS["processes.read"]
plain("processes.close", lambda: _cordon_processes.close(12345, 0))
plain("processes.wait", lambda: _cordon_processes.wait(12345, 0))
plain("processes.signal", lambda: _cordon_processes.signal(12345, 15))
plain("processes.release", lambda: _cordon_processes.release(12345))


OPENED = []


def port():
    if not OPENED:
        OPENED.append(serial.Serial(Parameters["Mode1"], timeout=0.05, write_timeout=0.05))
    return OPENED[0]


@function("serial.open")
def serial_open(size, shape):
    try:
        serial.Serial(text(size, 0))
    except Exception as error:
        return size, measured(error)


@function("serial.write")
def serial_write(size, shape):
    try:
        return size, port().write(b"x" * min(size, 1000))
    except serial.SerialException:
        port().reset_output_buffer()
        return size, 0


@function("serial.read")
def serial_read(size, shape):
    port().timeout = 0
    return 0, len(port().read(size))


plain("serial.configure", lambda: setattr(port(), "baudrate", 19200))
plain("serial.drain", lambda: port().reset_output_buffer())
plain("serial.cancel-read", lambda: port().cancel_read())
plain("serial.cancel-write", lambda: port().cancel_write())
plain("serial.waiting", lambda: port().in_waiting)
plain("serial.clear", lambda: port().reset_input_buffer())
plain("serial.status", lambda: port().in_waiting)
plain("serial.signal", lambda: _cordon_serial.signal(12345, 0, True))
plain("serial.close", lambda: _cordon_serial.close(12345))


def one_socket():
    """All that a socket does without another end."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        made.getsockname()
        with made.dup() as again:
            again.setblocking(False)
            try:
                again.accept()
            except BlockingIOError:
                pass
            for call in (again.getpeername, lambda: again.connect(("127.0.0.1", 1))):
                try:
                    call()
                except OSError:
                    pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        try:
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.1.2.3") + bytes(4))
        except OSError:
            pass


for each in ("create", "close", "describe", "bind", "listen", "accept", "connect", "duplicate", "local-address",
             "peer-address", "get-option", "set-option", "membership"):
    plain("sockets." + each, one_socket)


@function("sockets.send")
def socket_send(size, shape):
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        sent = left.send(b"x" * size)
        right.settimeout(0.05)
        got = right.recv(size)
        left.shutdown(socket.SHUT_RDWR)
    return size, len(got) + sent


@function("sockets.send-to")
def socket_send_to(size, shape):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as left:
        left.bind(("127.0.0.1", 0))
        left.settimeout(0.05)
        try:
            left.sendto(b"x" * min(size, 60000), left.getsockname())
            return size, len(left.recvfrom(size)[0])
        except OSError as error:
            return size, measured(error)


for each in ("receive", "pair", "shutdown", "wait"):
    CALLS["sockets." + each] = CALLS["sockets.send"]
CALLS["sockets.receive-from"] = CALLS["sockets.send-to"]


@function("sockets.poll")
def poll(size, shape):
    import select

    pairs = [socket.socketpair() for _ in range(8)]
    ready = select.select([end for pair in pairs for end in pair] * min(size // 64 + 1, 200), [], [], 0)
    for pair in pairs:
        for end in pair:
            end.close()
    return 256 * 200, measured(ready)


@function("sockets.resolve")
def resolve(size, shape):
    try:
        return size, measured(socket.getaddrinfo(text(size, 0), 80))
    except (OSError, UnicodeError) as error:
        return size, measured(error)


@function("sockets.reverse")
def reverse(size, shape):
    try:
        return 0, measured(socket.gethostbyaddr("127.0.0.1"))
    except OSError as error:
        return 0, measured(error)


def thread():
    made = threading.Thread(target=time.sleep, args=(0,))
    made.start()
    made.join()


for each in ("spawn", "park", "unpark", "yield-now"):
    plain("threads." + each, thread)


@function("tls.open-context")
def context(size, shape):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pem = "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
    data = (text(size, 0), pem % text(size, 0), (pem % "AAAA") * (size // 60 + 1))[shape % 3]
    try:
        made.load_verify_locations(cadata=data)
    except (ssl.SSLError, ValueError):
        pass
    return len(data), 0


def session(size, shape):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        opened = made.wrap_bio(come, go, server_hostname=text(size, 0))
    except (ssl.SSLError, ValueError, OSError):
        opened = made.wrap_bio(come, go, server_hostname="example.org")
    heads = (b"", b"\x16\x03\x03" + min(size, 16384).to_bytes(2, "big"), b"\x15\x03\x03\x00\x02")
    come.write(heads[shape % 3] + os.urandom(size))
    for call in (opened.do_handshake, lambda: opened.write(b"x" * size), lambda: opened.read(size), opened.unwrap):
        try:
            call()
        except (ssl.SSLError, OSError, ValueError):
            pass
    return 3 * size, len(go.read())


for each in ("open-client", "feed", "take", "read", "write", "say-goodbye", "close-session", "close-context", "agreed",
             "exported", "greeted-name", "choose", "refuse", "open-server"):
    CALLS["tls." + each] = session


def onStart():
    made()
    Domoticz.Log("calls " + " ".join(CALLS))


def onCommand(Unit, Command, Level, Color):
    number, name, size, shape = Command.split()
    try:
        into, out = CALLS[name](int(size), int(shape))
    except (ValueError, OSError, RuntimeError, subprocess.SubprocessError) as refusal:
        into, out = int(size), measured(refusal)
    Domoticz.Log("done %s %d %d." % (number, into, out))
