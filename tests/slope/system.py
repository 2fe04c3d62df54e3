import select, shutil, signal, socket, ssl, subprocess
import cordon_icmp, serial, serial.tools.list_ports


def pair():
    return socket.socketpair()


@measure("sockets.create", "sockets.close", "sockets.describe", "sockets.duplicate",
         "sockets.get-option", "sockets.set-option", "sockets.local-address")
def sockets_made():
    def work():
        with socket.socket() as it:
            it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            it.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
            it.setblocking(False)
            it.getsockname()
            it.dup().close()
            socket.socket(fileno=it.detach()).close()
    return work


@measure("sockets.pair", "sockets.send", "sockets.receive", "sockets.wait", "sockets.shutdown")
def a_pair():
    def work():
        a, b = pair()
        a.sendall(b"some bytes")
        b.recv(100)
        b.settimeout(0.00001)
        try:
            b.recv(1)
        except TimeoutError:
            pass
        a.shutdown(socket.SHUT_WR)
        b.recv(1)
        a.close()
        b.close()
    return work


@measure("sockets.send", "sockets.receive")
def bytes_through_a_pair():
    a, b = pair()
    numbers = itertools.count(1000000)

    def work():
        a.send(b"%d" % next(numbers))
        b.recv(100)
    return work


@measure("sockets.bind", "sockets.listen", "sockets.connect", "sockets.accept", "sockets.peer-address")
def connections_to_oneself():
    listener = socket.create_server(("127.0.0.1", OPTIONS["port"]))

    def work():
        client = socket.create_connection(("127.0.0.1", OPTIONS["port"]))
        server, address = listener.accept()
        client.getpeername()
        client.close()
        server.close()
    return work


@measure("sockets.connect")
def refused_connections():
    def work():
        try:
            socket.create_connection(("127.0.0.1", OPTIONS["closed"])).close()
        except ConnectionRefusedError:
            pass
        try:
            socket.create_connection(("192.0.2.1", 80)).close()
        except PermissionError:
            pass
    return work


@measure("sockets.send-to", "sockets.receive-from")
def datagrams():
    it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    it.bind(("127.0.0.1", OPTIONS["port"]))

    def work():
        it.sendto(b"some bytes", ("127.0.0.1", OPTIONS["port"]))
        it.recvfrom(100)
    return work


@measure("sockets.membership")
def groups():
    it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    group = socket.inet_aton("239.255.83.17") + socket.inet_aton("0.0.0.0")

    def work():
        for option in (socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP):
            try:
                it.setsockopt(socket.IPPROTO_IP, option, group)
            except OSError:
                pass
    return work


@measure("sockets.poll")
def selections():
    a, b = pair()
    a.send(b"x")
    poll = select.poll()
    poll.register(b, select.POLLIN)

    def work():
        select.select([a, b], [a, b], [], 0)
        poll.poll(0)
    return work


@measure("sockets.resolve", "sockets.reverse", "sockets.host-name", "sockets.interfaces")
def names():
    def work():
        socket.getaddrinfo("127.0.0.1", 80)
        for call in (lambda: socket.getaddrinfo("localhost", 80),
                     lambda: socket.gethostbyaddr("127.0.0.1"),
                     lambda: socket.getaddrinfo("name.invalid", 80)):
            try:
                call()
            except OSError:
                pass
        socket.gethostname()
        socket.if_nameindex()
    return work


class Ends:
    """A client and a server of TLS with the wire between them."""

    def __init__(self, client, server):
        self.bios = a, b, c, d = [ssl.MemoryBIO() for n in range(4)]
        self.client = client.wrap_bio(a, b, server_hostname="leaf")
        self.server = server.wrap_bio(c, d, server_side=True)

    def carry(self):
        a, b, c, d = self.bios
        c.write(b.read())
        a.write(d.read())

    def shake(self):
        waiting = [self.client, self.server]
        for n in range(20):
            for end in list(waiting):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                else:
                    waiting.remove(end)
                finally:
                    self.carry()
            if not waiting:
                return self
        raise AssertionError("hands are never shaken")


def contexts():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain("/plugin/leaf.pem", "/plugin/leaf.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client, server


@measure("tls.open-context", "tls.close-context", share=4)
def tls_contexts():
    def work():
        for context in contexts():
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=context.protocol == ssl.PROTOCOL_TLS_SERVER)
    return work


@measure("tls.open-client", "tls.open-server", "tls.close-session", "tls.say-goodbye", "tls.agreed",
         "tls.exported", share=4)
def tls_sessions():
    both = contexts()

    def work():
        ends = Ends(*both).shake()
        ends.client.version()
        ends.client.getpeercert(True)
        ends.client.cipher()
        ends.client.get_channel_binding("tls-exporter") if "tls-exporter" in ssl.CHANNEL_BINDING_TYPES else None
        try:
            ends.client.unwrap()
        except ssl.SSLWantReadError:
            ends.carry()
    return work


@measure("tls.greeted-name", "tls.choose", "tls.refuse", share=4)
def tls_names():
    client, server = contexts()
    other = contexts()[1]
    chosen = itertools.count()

    def choose(end, name, context):
        if next(chosen) % 2:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        end.context = other
    server.sni_callback = choose

    def work():
        try:
            Ends(client, server).shake()
        except (ssl.SSLError, AssertionError):
            pass
    return work


@measure("tls.feed", "tls.take", "tls.read", "tls.write")
def tls_bytes():
    ends = Ends(*contexts()).shake()

    def work():
        ends.client.write(b"some bytes")
        ends.carry()
        ends.server.read(100)
        try:
            ends.server.read(1)
        except ssl.SSLWantReadError:
            pass
    return work


@measure("processes.find", "processes.spawn", "processes.exchange", "processes.wait",
         "processes.release", share=20)
def programs():
    def work():
        shutil.which("cat")
        subprocess.run(["/bin/cat"], input=b"some bytes", capture_output=True, timeout=20)
    return work


@measure("processes.read", "processes.write", "processes.close", "processes.signal", share=20)
def programs_that_go_on():
    def work():
        it = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        it.stdin.write(b"some bytes\n")
        it.stdin.flush()
        it.stdout.readline()
        it.poll()
        it.stdin.close()
        it.send_signal(signal.SIGKILL)
        it.wait()
        it.stdout.close()
    return work


@measure("serial.ports")
def ports():
    return lambda: list(serial.tools.list_ports.comports())


@measure("serial.open", "serial.close")
def ports_opened():
    return lambda: serial.Serial(OPTIONS["serial"], 19200, timeout=1).close()


@measure("serial.read", "serial.write", "serial.drain", "serial.waiting", "serial.clear",
         "serial.status", "serial.signal", "serial.configure", "serial.cancel-read", "serial.cancel-write")
def bytes_through_a_port():
    port = serial.Serial(OPTIONS["serial"], 19200, timeout=0.05, write_timeout=1)

    def attempt(call):
        try:
            call()
        except OSError:
            pass

    def work():
        attempt(lambda: port.write(b"bytes"))
        port.flush()
        port.read(5)
        port.in_waiting, port.out_waiting
        port.reset_input_buffer()
        port.reset_output_buffer()
        # A pseudo-terminal has no such lines.
        attempt(lambda: port.cts)
        attempt(lambda: setattr(port, "rts", True))
        attempt(lambda: setattr(port, "baudrate", 9600 if port.baudrate == 19200 else 19200))
        # The next one ends at once.
        port.cancel_read()
        port.read(1)
        port.cancel_write()
    return work


@measure("icmp.echo")
def echoes():
    def work():
        while True:
            try:
                return cordon_icmp.ping("127.0.0.1")
            except BlockingIOError:
                time.sleep(0.1)
            except OSError:
                # The system lets nobody ping: the refusal is measured.
                return None
    return work


say = Domoticz.Log


def onStart():
    OPTIONS.update(json.loads(Parameters["Mode1"]))
    Domoticz.Heartbeat(1)


def onHeartbeat():
    if some_cases():
        tell()
