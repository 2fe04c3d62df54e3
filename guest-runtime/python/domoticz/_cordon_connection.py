"""``Domoticz.Connection``: traffic that the hub carries for the plugin.

Owns the object and the numbers by which the hub's events find it. It holds no
connection alive: when the plugin drops its last reference, the hub is told and closes
the connection (rule 89). Requests are only queued here; nothing ever waits.
"""

import time
import weakref
from itertools import count
from operator import attrgetter

import _cordon

import _cordon_binding as binding
import _cordon_log as log
import _cordon_message as messages
from _cordon_arguments import ABSENT, any_case, number, plain, text

# Milliseconds; the documentation of the original says 250, its program 200.
SHORTEST_TIMEOUT = 200

# Stand-ins kept at once. Each waits for the last event of a dropped connection;
# one whose event never comes (a refused connect) is pushed out by newer ones.
STAND_IN_LIMIT = 256

# A delayed send starts up to a second late (spec 6.9), and the clocks of the hub
# and of this interpreter differ a little.
_DELAY_MARGIN = 2.0

_CONSTRUCTOR_HINT = (
    "Expected Connection(Name, Transport, Protocol='None', Address='', Port='', Baud=-1),"
    " names in any case"
)
_CONNECT_HINT = "Expected Connect(Target=None, Timeout=0), names in any case"
_LISTEN_HINT = "Expected Listen(Target=None), names in any case"
_SEND_HINT = "Expected Send(Message, Delay=0), names in any case"

# The plugin's connections by number, as weak references.
_known = {}

# Dropped connections whose last events are still to come, oldest first.
_stand_ins = {}

# (moment, connection) of delayed sends: they count as references (spec 5.3).
delayed_sends = []

_numbers = count(1)


def _refuse(connection, value=None):
    raise AttributeError("readonly attribute")


def _member(name):
    return property(attrgetter("__" + name + "__"), _refuse, _refuse)


def _open_member(name):
    """A member that takes any value; a deleted one reads as None (spec 4.1)."""
    slot = "__" + name + "__"

    def assign(connection, value):
        setattr(connection, slot, value)

    def clear(connection):
        setattr(connection, slot, None)

    return property(attrgetter(slot), assign, clear)


class Connection:
    """A connection that the hub makes for the plugin (spec section 5)."""

    __slots__ = (
        "__Name__",
        "__Transport__",
        "__Protocol__",
        "__Address__",
        "__Port__",
        "__Baud__",
        "__Timeout__",
        "__Target__",
        "__Parent__",
        # The hub's number; None before the first request.
        "__number__",
        # Whether a request is out whose last event has not come.
        "__waiting__",
        # Whether the hub was told that the plugin dropped it.
        "__released__",
        "__weakref__",
    )
    __module__ = "Domoticz"

    Name = _member("Name")
    Address = _open_member("Address")
    Port = _open_member("Port")
    Baud = _member("Baud")
    Target = _open_member("Target")
    Parent = _member("Parent")

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self.__Name__ = ""
        self.__Transport__ = ""
        self.__Protocol__ = "None"
        self.__Address__ = ""
        self.__Port__ = ""
        self.__Baud__ = -1
        self.__Timeout__ = 0
        self.__Target__ = None
        self.__Parent__ = None
        self.__number__ = None
        self.__waiting__ = False
        self.__released__ = False
        return self

    def __init__(self, *args, **kwargs):
        try:
            _construct(self, *args, **kwargs)
        except Exception as failure:
            _raise("Connection", _CONSTRUCTOR_HINT, failure)

    def __str__(self):
        state = _state(self)
        traffic = "" if state is None else ", Bytes: %d" % state[2]
        seen = "" if state is None else ", Last Seen: " + state[3]
        parent = self.__Parent__
        return (
            "Name: '%s', Transport: '%s', Protocol: '%s', Address: '%s', Port: '%s', "
            "Baud: %d, Timeout: %d%s, Connected: %s%s, Parent: '%s'"
        ) % (
            self.__Name__,
            self.__Transport__,
            self.__Protocol__,
            self.__Address__,
            self.__Port__,
            self.__Baud__,
            self.__Timeout__,
            traffic,
            state is not None and state[1],
            seen,
            "None" if parent is None else parent.__Name__,
        )

    def __del__(self):
        try:
            _drop(self)
        except Exception:
            # The interpreter is going away and half of this module with it.
            pass

    def Connect(self, *args, **kwargs):
        """Queues an outgoing connection; onConnect tells the result."""
        if not binding.ready("Connection.Connect"):
            return
        try:
            target, timeout = _connect_arguments(*args, **kwargs)
        except Exception as failure:
            _raise("Connect", _CONNECT_HINT, failure)
        state = _state(self)
        if state is not None and (state[0] or state[1]):
            word = "connected" if state[1] else "connecting"
            log.error("connection '%s' is %s already" % (self.__Name__, word))
            return
        if target is not ABSENT:
            self.__Target__ = target
        if timeout != 0 and timeout < SHORTEST_TIMEOUT:
            log.error(
                "connection '%s' is not made: Timeout is %d, give 0 or at least 250 milliseconds"
                % (self.__Name__, timeout)
            )
            return
        self.__Timeout__ = timeout
        if _cordon.connection_connect(_identify(self), _endpoint(self), timeout) is None:
            self.__waiting__ = True
            _note(self, "is to connect")

    def Listen(self, *args, **kwargs):
        """Queues a listener on the connection's port."""
        if not binding.ready("Connection.Listen"):
            return
        try:
            target = _listen_arguments(*args, **kwargs)
        except Exception as failure:
            _raise("Listen", _LISTEN_HINT, failure)
        if target is not ABSENT:
            self.__Target__ = target
        if _cordon.connection_listen(_identify(self), _endpoint(self)) is None:
            self.__waiting__ = True
            _note(self, "is to listen")

    def Send(self, *args, **kwargs):
        """Queues a message, after a delay in seconds if one is given."""
        if not binding.ready("Connection.Send"):
            return
        try:
            message, delay = _send_arguments(*args, **kwargs)
            _, _, protocol, address, port, _ = endpoint = _endpoint(self)
            body = messages.outbound(protocol, message, address, port)
        except messages.Unsendable as reason:
            log.core_error("connection '%s' sends nothing: %s" % (self.__Name__, reason))
            return
        except Exception as failure:
            log.refused_arguments("Send", _SEND_HINT, failure)
            return
        if binding.mask & (binding.CONNECTIONS | binding.MESSAGES):
            note_traffic(self, "sends", body)
        refusal = _cordon.connection_send(_identify(self), endpoint, body, delay)
        if delay and refusal is None:
            delayed_sends.append((time.monotonic() + delay + _DELAY_MARGIN, self))

    def Disconnect(self):
        """Queues the end of the connection; onDisconnect follows."""
        if self.__number__ is None:
            log.error("connection '%s' cannot disconnect: it was never used" % self.__Name__)
            return
        _cordon.connection_disconnect(self.__number__)
        _note(self, "is to disconnect")

    def Connecting(self):
        state = _state(self)
        return state is not None and state[0]

    def Connected(self):
        state = _state(self)
        return state is not None and state[1]

    def BytesTransferred(self):
        """Bytes in both directions; False when there is no transport (rule 78)."""
        state = _state(self)
        return False if state is None else state[2]

    def LastSeen(self):
        state = _state(self)
        return None if state is None else state[3]


@any_case
def _construct(connection, Name, Transport, Protocol="None", Address="", Port="", Baud=ABSENT):
    connection.__Name__ = text(Name, "Name")
    connection.__Transport__ = text(Transport, "Transport")
    connection.__Protocol__ = text(Protocol, "Protocol")
    connection.__Address__ = text(Address, "Address")
    connection.__Port__ = text(Port, "Port")
    if Baud is not ABSENT:
        # 0 is ignored (spec 5.1).
        connection.__Baud__ = number(Baud) or -1


@any_case
def _connect_arguments(Target=ABSENT, Timeout=0):
    return Target, number(Timeout)


@any_case
def _listen_arguments(Target=ABSENT):
    return Target


@any_case
def _send_arguments(Message, Delay=0):
    # A negative delay is none (spec 6.9).
    return Message, max(number(Delay), 0)


def _raise(name, hint, failure):
    """Spec 4.2: a hint in the core log; the exception itself reaches the caller.

    The original wraps it in a SystemError, which is listed as a defect.
    """
    log.core_error(name + ": " + hint)
    raise failure


def _state(connection):
    if connection.__number__ is None:
        return None
    return _cordon.connection_status(connection.__number__)


def _endpoint(connection):
    """The contract's record `endpoint`; Address and Port may be any object."""
    address = connection.__Address__
    port = connection.__Port__
    return (
        connection.__Name__,
        connection.__Transport__,
        connection.__Protocol__,
        "" if address is None else plain(address),
        "" if port is None else plain(port),
        connection.__Baud__,
    )


def _identify(connection):
    """The number under which the hub's events find this connection.

    A stand-in that the plugin kept and uses again gets a new one: the hub
    forgets a number that was released.
    """
    if connection.__number__ is None or connection.__released__:
        _stand_ins.pop(connection.__number__, None)
        connection.__number__ = next(_numbers)
        connection.__released__ = False
        _known[connection.__number__] = weakref.ref(connection)
    return connection.__number__


def find(number):
    """The connection with this number, or the stand-in for a dropped one."""
    reference = _known.get(number)
    connection = None if reference is None else reference()
    return _stand_ins.get(number) if connection is None else connection


def accept(number, parent_number, address, port):
    """A connection for a client of a listener (spec 5.4).

    None if the listener is gone. Only the caller holds it: unless the plugin
    keeps it, it is closed after onConnect (rule 92).
    """
    parent = find(parent_number)
    if parent is None:
        _cordon.connection_release(number)
        return None
    child = Connection(address + ":" + port, parent.__Transport__, parent.__Protocol__)
    child.__Address__ = address
    child.__Port__ = port
    child.__Target__ = parent.__Target__
    child.__Parent__ = parent
    child.__number__ = number
    child.__waiting__ = True
    _known[number] = weakref.ref(child)
    return child


def of_datagram(listener, address, port):
    """A connection for the sender of one datagram (rule 96).

    It has no number and gets one when the plugin answers.
    """
    child = Connection(listener.__Name__, listener.__Transport__, listener.__Protocol__)
    child.__Address__ = address
    child.__Port__ = port
    child.__Target__ = listener.__Target__
    return child


def ended(number):
    """The connection whose last event this is; its number is free afterwards."""
    connection = find(number)
    if connection is None:
        return None
    connection.__waiting__ = False
    if _stand_ins.pop(number, None) is not None:
        # The hub has forgotten the number: a plugin that uses the object
        # again gets a new one.
        connection.__number__ = None
    return connection


def forget_sent():
    """Lets go of connections whose delayed messages have gone out."""
    now = time.monotonic()
    delayed_sends[:] = [entry for entry in delayed_sends if entry[0] > now]


def _drop(connection):
    """The plugin's last reference is gone: the hub closes an open connection."""
    number = connection.__number__
    if number is None or connection.__released__:
        return
    _known.pop(number, None)
    # The end of a listener for datagrams has no event (spec 6.6).
    if connection.__Transport__ != "UDP/IP" and (
        connection.__waiting__ or _cordon.connection_status(number) is not None
    ):
        _stand_in(connection, number)
    _cordon.connection_release(number)


def _stand_in(connection, number):
    """Keeps a copy for the events that closing brings, onDisconnect the last."""
    copy = object.__new__(type(connection))
    for slot in Connection.__slots__:
        if slot != "__weakref__":
            setattr(copy, slot, getattr(connection, slot))
    if hasattr(connection, "__dict__"):
        copy.__dict__.update(connection.__dict__)
    copy.__released__ = True
    _stand_ins[number] = copy
    while len(_stand_ins) > STAND_IN_LIMIT:
        _stand_ins.pop(next(iter(_stand_ins)))


def _note(connection, what):
    if binding.mask & binding.CONNECTIONS:
        log.normal("connection '%s' %s" % (connection.__Name__, what))


def note_traffic(connection, verb, message):
    """The debug lines for one message (spec section 9)."""
    data = messages.payload(message)
    log.normal("connection '%s' %s %d bytes" % (connection.__Name__, verb, len(data)))
    if binding.mask & binding.MESSAGES:
        for line in messages.dump(data):
            log.normal(line)
