covers("connections.connect", "connections.listen", "connections.send", "connections.disconnect",
       "connections.release", "connections.status")

# Messages before the first look.
EARLY = 60

HTTP = {"Verb": "GET", "URL": "/", "Headers": {"Host": "h", "X": ["a", "b"]}}
UPGRADE = {"URL": "/ws", "Headers": {"Host": "h"}}
MQTT = {"Verb": "PUBLISH", "Topic": "some/topic", "Payload": b"some bytes", "QoS": 0}

# Name, transport, protocol, the port's name, the first message if it is another one, the message.
ECHOES = [
    ("bytes", "TCP/IP", "None", "echo", None, "some bytes"),
    ("lines", "TCP/IP", "Line", "echo", None, "a line\r\n"),
    ("json", "TCP/IP", "JSON", "echo", None, '{"a": [1, 2.5, "x"], "b": null}'),
    ("xml", "TCP/IP", "XML", "echo", None, "<a><b>c</b></a>"),
    ("http", "TCP/IP", "HTTP", "echo", None, HTTP),
    ("websocket", "TCP/IP", "WS", "echo", UPGRADE, {"Payload": "some text", "Mask": 0x01020304}),
    ("mqtt", "TCP/IP", "MQTT", "echo", None, MQTT),
    ("tls", "TLS/IP", "None", "tls", None, "some bytes"),
    ("https", "TLS/IP", "HTTPS", "tls", None, HTTP),
    ("wss", "TLS/IP", "WSS", "tls", UPGRADE, {"Payload": b"some bytes"}),
    ("mqtts", "TLS/IP", "MQTTS", "tls", None, MQTT),
    ("serial", "Serial", "Line", None, None, "a line\r\n"),
]


class Echo:
    """Sends a message to a peer that sends it back, again and again."""

    def __init__(self, name, transport, protocol, port, first, message):
        self.name, self.message, self.count, self.before = name, message, 0, None
        self.first = message if first is None else first
        place = {"Address": OPTIONS["serial"], "Baud": 9600} if port is None else {
            "Address": "127.0.0.1", "Port": str(OPTIONS[port])}
        self.connection = Domoticz.Connection(Name=name, Transport=transport, Protocol=protocol, **place)
        self.connection.Connect(Target=self)

    def onConnect(self, connection, status, description):
        if status:
            RESULTS.append("FAILED %s: %s" % (self.name, description))
            return begin()
        connection.Send(self.first)

    def onMessage(self, connection, data):
        self.count += 1
        if self.count == EARLY:
            self.before = settled()
        elif self.count == EARLY + OPTIONS["count"]:
            result(self.name, OPTIONS["count"], self.before)
            connection.Disconnect()
            return begin()
        connection.Connected(), connection.Connecting(), connection.BytesTransferred(), str(connection)
        connection.Send(self.message)

    def onTimeout(self, connection):
        pass

    def onDisconnect(self, connection):
        pass


class Ends:
    """Connects and disconnects again and again."""

    def __init__(self, name, transport, port, count):
        self.name, self.transport, self.port = name, transport, port
        self.left, self.count, self.before = EARLY + count, count, None
        self.connect()

    def connect(self):
        self.connection = Domoticz.Connection(Name=self.name, Transport=self.transport, Protocol="None",
                                              Address="127.0.0.1", Port=str(OPTIONS[self.port]))
        self.connection.Connect(Target=self)

    def onConnect(self, connection, status, description):
        if status:
            self.next()
        else:
            connection.Disconnect()

    def onMessage(self, connection, data):
        pass

    def onDisconnect(self, connection):
        self.next()

    def next(self):
        self.left -= 1
        if self.left == self.count:
            self.before = settled()
        if self.left:
            return self.connect()
        result(self.name, self.count, self.before)
        begin()


class Served:
    """Listens; peers of the test come, send and are answered until it has enough."""

    def __init__(self, name, transport, port, count):
        self.name, self.seen, self.count, self.before = name, 0, count, None
        # A client that nobody keeps is closed after onConnect.
        self.clients = []
        self.listener = Domoticz.Connection(Name=name, Transport=transport, Protocol="None",
                                            **({"Address": "127.0.0.1"} if transport == "UDP/IP" else {}),
                                            Port=str(OPTIONS[port]))
        self.listener.Listen(Target=self)

    def onConnect(self, connection, status, description):
        if status:
            RESULTS.append("FAILED %s: %s" % (self.name, description))
            return begin()
        self.clients.append(connection)

    def onMessage(self, connection, data):
        self.seen += 1
        if self.seen == EARLY:
            self.before = settled()
        if self.seen == EARLY + self.count:
            result(self.name, self.count, self.before)
            self.listener.Disconnect()
            return begin()
        connection.Send("answer")

    def onTimeout(self, connection):
        pass

    def onDisconnect(self, connection):
        if connection in self.clients:
            self.clients.remove(connection)


class Pings:
    """Echo requests of a connection."""

    def __init__(self):
        self.seen, self.count, self.before = 0, OPTIONS["count"], None
        self.connection = Domoticz.Connection(Name="icmp", Transport="ICMP/IP", Protocol="ICMP", Address="127.0.0.1")
        self.connection.Listen(Target=self)

    def onConnect(self, connection, status, description):
        RESULTS.append("level icmp: the system lets nobody ping: %s" % description)
        begin()

    def onMessage(self, connection, data):
        self.seen += 1
        if self.seen == EARLY:
            self.before = settled()
        if self.seen == EARLY + self.count:
            result("icmp", self.count, self.before)
            connection.Disconnect()
            return begin()
        connection.Send("some bytes")

    def onDisconnect(self, connection):
        pass


PLAN = []


def begin():
    """Begins what comes next; the old one is only kept until the next message."""
    global current
    if not PLAN:
        current = None
        return
    make, *arguments = PLAN.pop(0)
    try:
        current = make(*arguments)
    except Exception:
        failed("%s %s" % (make.__name__, arguments[:1]))
        begin()


say = Domoticz.Log


def onStart():
    OPTIONS.update(json.loads(Parameters["Mode1"]))
    count = OPTIONS["count"]
    PLAN.extend((Echo, *echo) for echo in ECHOES)
    PLAN.append((Ends, "ends", "TCP/IP", "echo", count // 4))
    PLAN.append((Ends, "tls ends", "TLS/IP", "tls", count // 10))
    PLAN.append((Served, "clients", "TCP/IP", "served", count // 4))
    PLAN.append((Served, "datagrams", "UDP/IP", "datagrams", count))
    PLAN.append((Pings,))
    Domoticz.Heartbeat(1)
    begin()


# Clients of a listener have no target of their own.

def onConnect(connection, status, description):
    current.onConnect(connection, status, description)


def onMessage(connection, data):
    if current is not None:
        current.onMessage(connection, data)


def onDisconnect(connection):
    if current is not None:
        current.onDisconnect(connection)


def onHeartbeat():
    if not PLAN and current is None:
        tell()
