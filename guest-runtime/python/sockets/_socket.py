"""Python's ``_socket``: constants, names and options over ``_cordon_socket``.

The native half has the class and everything that moves data. This half does the work of
once per connection or less: looking up names and services, and the packed forms of
options. Numbers are those of Linux.
"""

import operator as _operator
import struct as _struct

import _cordon_socket as _native
from _cordon_socket import (
    dup,
    getdefaulttimeout,
    gethostname,
    if_nameindex,
    setdefaulttimeout,
)

error = OSError
timeout = TimeoutError
has_ipv6 = True


class gaierror(OSError):
    """A name could not be turned into an address."""


class herror(OSError):
    """An address could not be turned into a name."""


gaierror.__module__ = herror.__module__ = "socket"

_CONSTANTS = {
    "AF": "UNSPEC 0 UNIX 1 INET 2 INET6 10",
    "SOCK": "STREAM 1 DGRAM 2 RAW 3 RDM 4 SEQPACKET 5 NONBLOCK 2048 CLOEXEC 524288",
    "SOL": "SOCKET 1 IP 0 TCP 6 UDP 17",
    "SO": "REUSEADDR 2 TYPE 3 ERROR 4 DONTROUTE 5 BROADCAST 6 SNDBUF 7 RCVBUF 8"
    " KEEPALIVE 9 OOBINLINE 10 LINGER 13 REUSEPORT 15 RCVLOWAT 18 SNDLOWAT 19"
    " RCVTIMEO 20 SNDTIMEO 21 BINDTODEVICE 25 ACCEPTCONN 30 PROTOCOL 38 DOMAIN 39",
    "TCP": "NODELAY 1 MAXSEG 2 CORK 3 KEEPIDLE 4 KEEPINTVL 5 KEEPCNT 6 SYNCNT 7"
    " DEFER_ACCEPT 9 INFO 11 QUICKACK 12 USER_TIMEOUT 18 FASTOPEN 23",
    "IPPROTO": "IP 0 ICMP 1 IGMP 2 TCP 6 UDP 17 IPV6 41 ICMPV6 58 RAW 255",
    "IP": "TOS 1 TTL 2 MULTICAST_IF 32 MULTICAST_TTL 33 MULTICAST_LOOP 34"
    " ADD_MEMBERSHIP 35 DROP_MEMBERSHIP 36 DEFAULT_MULTICAST_TTL 1"
    " DEFAULT_MULTICAST_LOOP 1 MAX_MEMBERSHIPS 20",
    "IPV6": "UNICAST_HOPS 16 MULTICAST_IF 17 MULTICAST_HOPS 18 MULTICAST_LOOP 19"
    " JOIN_GROUP 20 LEAVE_GROUP 21 V6ONLY 26 TCLASS 67",
    "MSG": "OOB 1 PEEK 2 DONTROUTE 4 CTRUNC 8 TRUNC 32 DONTWAIT 64 EOR 128 WAITALL 256"
    " NOSIGNAL 16384 MORE 32768 CMSG_CLOEXEC 1073741824",
    "SHUT": "RD 0 WR 1 RDWR 2",
    "AI": "PASSIVE 1 CANONNAME 2 NUMERICHOST 4 V4MAPPED 8 ALL 16 ADDRCONFIG 32 NUMERICSERV 1024",
    "EAI": "BADFLAGS -1 NONAME -2 AGAIN -3 FAIL -4 NODATA -5 FAMILY -6 SOCKTYPE -7"
    " SERVICE -8 ADDRFAMILY -9 MEMORY -10 SYSTEM -11 OVERFLOW -12",
    "NI": "NUMERICHOST 1 NUMERICSERV 2 NOFQDN 4 NAMEREQD 8 DGRAM 16 MAXHOST 1025 MAXSERV 32",
    "INADDR": "ANY 0 BROADCAST 4294967295 NONE 4294967295 LOOPBACK 2130706433"
    " UNSPEC_GROUP 3758096384 ALLHOSTS_GROUP 3758096385 MAX_LOCAL_GROUP 3758096639",
}

for _family, _words in _CONSTANTS.items():
    _words = _words.split()
    for _name, _value in zip(_words[::2], _words[1::2]):
        globals()[_family + "_" + _name] = int(_value)
SOMAXCONN = 128
IPPORT_RESERVED = 1024
IPPORT_USERRESERVED = 5000
IPV6_ADD_MEMBERSHIP = IPV6_JOIN_GROUP
IPV6_DROP_MEMBERSHIP = IPV6_LEAVE_GROUP

# The options that the native half can set: level, number and its name there.
_OPTIONS = {}
for _level, _family, _names in (
    (
        SOL_SOCKET,
        "SO",
        "REUSEADDR REUSEPORT BROADCAST KEEPALIVE RCVBUF SNDBUF ERROR TYPE"
        " ACCEPTCONN OOBINLINE LINGER",
    ),
    (IPPROTO_TCP, "TCP", "NODELAY KEEPIDLE KEEPINTVL KEEPCNT USER_TIMEOUT QUICKACK"),
    (IPPROTO_IP, "IP", "TTL TOS MULTICAST_TTL MULTICAST_LOOP MULTICAST_IF"),
    (IPPROTO_IPV6, "IPV6", "V6ONLY UNICAST_HOPS MULTICAST_HOPS MULTICAST_LOOP MULTICAST_IF TCLASS"),
):
    for _name in _names.split():
        _name = _family + "_" + _name
        _OPTIONS[_level, globals()[_name]] = _name

# The services that plugins name; everything else has to be a number.
_SERVICES = {
    "echo": 7,
    "discard": 9,
    "ftp-data": 20,
    "ftp": 21,
    "ssh": 22,
    "telnet": 23,
    "smtp": 25,
    "time": 37,
    "domain": 53,
    "bootps": 67,
    "bootpc": 68,
    "tftp": 69,
    "http": 80,
    "pop3": 110,
    "sunrpc": 111,
    "nntp": 119,
    "ntp": 123,
    "imap2": 143,
    "imap": 143,
    "snmp": 161,
    "snmp-trap": 162,
    "ldap": 389,
    "https": 443,
    "submissions": 465,
    "syslog": 514,
    "submission": 587,
    "ldaps": 636,
    "ftps": 990,
    "telnets": 992,
    "imaps": 993,
    "pop3s": 995,
    "mqtt": 1883,
    "ssdp": 1900,
    "secure-mqtt": 8883,
    "sip": 5060,
    "mdns": 5353,
    "postgresql": 5432,
    "mysql": 3306,
    "http-alt": 8080,
}
_DATAGRAM_ONLY = frozenset(
    ("bootps", "bootpc", "tftp", "snmp-trap", "syslog", "ssdp", "mdns", "ntp")
)
_STREAM_ONLY = frozenset(("ftp", "ssh", "telnet", "smtp", "http", "pop3", "imap", "imap2"))

_PROTOCOLS = {"ip": 0, "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "ipv6": 41, "ipv6-icmp": 58}

_GAI_WORDS = {
    EAI_BADFLAGS: "Bad value for ai_flags",
    EAI_NONAME: "Name or service not known",
    EAI_FAMILY: "ai_family not supported",
    EAI_SOCKTYPE: "ai_socktype not supported",
    EAI_SERVICE: "Servname not supported for ai_socktype",
    EAI_ADDRFAMILY: "Address family for hostname not supported",
}


def _gai(number):
    return gaierror(number, _GAI_WORDS[number])


def _number(value):
    """An option's value out of an int or out of the bytes of one."""
    if isinstance(value, int):
        # Above the largest of C's int, a program means the same bits.
        return value - (1 << 32) if value > 0x7FFFFFFF else value
    value = bytes(value)
    if len(value) >= 4:
        return _struct.unpack("@i", value[:4])[0]
    if value:
        return value[0]
    raise OSError(22, "Invalid argument")


class socket(_native.socket):
    """The class that ``socket.socket`` is made of."""

    __slots__ = ()

    def getsockopt(self, level, optname, buflen=0, /):
        name = _OPTIONS.get((level, optname))
        if name is None:
            if level == SOL_SOCKET and optname == SO_DOMAIN:
                value = self.family
            elif level == SOL_SOCKET and optname == SO_PROTOCOL:
                value = self.proto or (6 if self.type == SOCK_STREAM else 17)
            else:
                # ENOPROTOOPT, or EBADF for a closed socket.
                value = self._option("")
        else:
            value = self._option(name)
        if name == "SO_LINGER":
            packed = _struct.pack("@ii", value >= 0, max(value, 0))
            return packed[:buflen] if buflen else int(value >= 0)
        elif name == "IP_MULTICAST_IF":
            packed = _struct.pack("!i", value)
            return packed[:buflen] if buflen else _struct.unpack("@i", packed)[0]
        if buflen:
            if not 0 < buflen <= 1024:
                raise OSError(22, "getsockopt buflen out of range")
            return _struct.pack("@i", value)[:buflen]
        return value

    def setsockopt(self, level, optname, value, optlen=None, /):
        if value is None:
            raise OSError(22, "Invalid argument")
        if level == IPPROTO_IP and optname in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP):
            value = bytes(value)
            if len(value) < 8:
                raise OSError(22, "Invalid argument")
            index = _struct.unpack("@i", value[8:12])[0] if len(value) >= 12 else 0
            interface = _struct.unpack("!I", value[4:8])[0]
            self._membership(value[:4], index, interface, optname == IP_ADD_MEMBERSHIP)
            return
        if level == IPPROTO_IPV6 and optname in (IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP):
            value = bytes(value)
            if len(value) < 20:
                raise OSError(22, "Invalid argument")
            index = _struct.unpack("@I", value[16:20])[0]
            self._membership(value[:16], index, 0, optname == IPV6_JOIN_GROUP)
            return
        name = _OPTIONS.get((level, optname), "")
        if name == "SO_LINGER":
            value = bytes(value)
            if len(value) < 8:
                raise OSError(22, "Invalid argument")
            on, seconds = _struct.unpack("@ii", value[:8])
            number = seconds if on else -1
        elif name == "IP_MULTICAST_IF" and not isinstance(value, int):
            value = bytes(value)
            # Group, address and index, or the address alone.
            value = value[4:8] if len(value) >= 8 else value[:4]
            number = _struct.unpack("!i", value)[0]
        elif name == "IP_MULTICAST_IF":
            number = _struct.unpack("!i", _struct.pack("@i", _number(value)))[0]
        else:
            number = _number(value)
        self._option(name, number)

    def sendmsg(self, buffers, ancdata=(), flags=0, address=None, /):
        messages = list(ancdata)
        for message in messages:
            if not isinstance(message, tuple) or len(message) != 3:
                raise TypeError("[sendmsg() ancillary data items must be 3-tuples]")
            _operator.index(message[0]), _operator.index(message[1]), memoryview(message[2])
        if messages:
            raise OSError(95, "ancillary data cannot be sent here")
        data = b"".join(bytes(memoryview(buffer)) for buffer in buffers)
        if address is None:
            return self.send(data, flags)
        return self.sendto(data, flags, address)

    def recvmsg(self, bufsize, ancbufsize=0, flags=0, /):
        if bufsize < 0:
            raise ValueError("negative buffer size in recvmsg()")
        if ancbufsize < 0:
            raise ValueError("invalid ancillary data buffer length")
        data, length, source = self._receive(bufsize, flags)
        truncated = MSG_TRUNC if length > len(data) else 0
        return data, [], truncated, source

    def recvmsg_into(self, buffers, ancbufsize=0, flags=0, /):
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        # Before anything is received: it would be lost.
        if any(view.readonly for view in views):
            raise TypeError("recvmsg_into() argument 1 must be an iterable of read-write buffers")
        room = sum(view.nbytes for view in views)
        data, ancdata, truncated, source = self.recvmsg(room, ancbufsize, flags)
        start = 0
        for view in views:
            part = data[start : start + view.nbytes]
            view[: len(part)] = part
            start += len(part)
        return len(data), ancdata, truncated, source


SocketType = socket


def socketpair(family=AF_UNIX, type=SOCK_STREAM, proto=0, /):
    if family not in (AF_UNIX, AF_INET, AF_INET6):
        raise OSError(97, "Address family not supported by protocol")
    if proto:
        raise OSError(93, "Protocol not supported")
    one, two = _native.pair(type)
    return socket(family, type, proto, one), socket(family, type, proto, two)


def close(fd, /):
    if not _native.close_handle(fd):
        raise OSError(9, "Bad file descriptor")


def CMSG_LEN(length, /):
    if not 0 <= length <= 0x7FFFFFFF - 16:
        raise OverflowError("CMSG_LEN() argument out of range")
    return 16 + length


def CMSG_SPACE(length, /):
    if not 0 <= length <= 0x7FFFFFFF - 24:
        raise OverflowError("CMSG_SPACE() argument out of range")
    return 16 + (length + 7) // 8 * 8


def _swap(value, bits, what):
    if not isinstance(value, int):
        raise TypeError("expected int, %s found" % type(value).__name__)
    if value < 0:
        raise OverflowError(
            "%s: can't convert negative Python int to C %s-bit unsigned integer" % (what, bits)
        )
    if value >> bits:
        raise OverflowError(
            "%s: Python int too large to convert to C %s-bit unsigned integer" % (what, bits)
        )
    return int.from_bytes(value.to_bytes(bits // 8, "big"), "little")


def htons(value, /):
    return _swap(value, 16, "htons")


def ntohs(value, /):
    return _swap(value, 16, "ntohs")


def htonl(value, /):
    return _swap(value, 32, "htonl")


def ntohl(value, /):
    return _swap(value, 32, "ntohl")


def _aton(text):
    """The four bytes of a dotted form with one to four numbers, or ``None``."""
    parts = text.split(".")
    if not 1 <= len(parts) <= 4:
        return None
    numbers = []
    for part in parts:
        try:
            if part[:2] in ("0x", "0X"):
                numbers.append(int(part[2:], 16))
            elif len(part) > 1 and part[0] == "0":
                numbers.append(int(part, 8))
            elif part.isascii() and part.isdigit():
                numbers.append(int(part))
            else:
                return None
        except ValueError:
            return None
    *high, last = numbers
    if any(number > 255 for number in high) or last >> (8 * (4 - len(high))):
        return None
    return bytes(high) + last.to_bytes(4 - len(high), "big")


def inet_aton(address, /):
    packed = _aton(address.split(" ")[0])
    if packed is None:
        raise OSError("illegal IP address string passed to inet_aton")
    return packed


def inet_ntoa(packed, /):
    packed = bytes(packed)
    if len(packed) != 4:
        raise OSError("packed IP wrong length")
    return "%d.%d.%d.%d" % tuple(packed)


def inet_pton(family, address, /):
    if family not in (AF_INET, AF_INET6):
        raise OSError(97, "Address family not supported by protocol")
    found = None if "%" in address else _native.written(address)
    if found is None or (len(found) == 4) != (family == AF_INET6):
        raise OSError("illegal IP address string passed to inet_pton")
    return _pack(address, family)


def _pack(address, family):
    if family == AF_INET:
        return bytes(int(part) for part in address.split("."))
    import ipaddress

    return ipaddress.IPv6Address(address).packed


def inet_ntop(family, packed, /):
    packed = bytes(packed)
    if family == AF_INET:
        if len(packed) != 4:
            raise ValueError("invalid length of packed IP address string")
        return inet_ntoa(packed)
    if family == AF_INET6:
        if len(packed) != 16:
            raise ValueError("invalid length of packed IP address string")
        groups = ":".join("%x" % group for group in _struct.unpack("!8H", packed))
        return _native.written(groups)[0]
    raise ValueError("unknown address family %d" % family)


def if_nametoindex(name, /):
    import os

    name = os.fsdecode(name)
    for index, known in if_nameindex():
        if known == name:
            return index
    raise OSError("no interface with this name")


def if_indextoname(index, /):
    if not 0 <= _operator.index(index) <= 0xFFFFFFFF:
        raise OverflowError("Python int does not fit into C unsigned int")
    for known, name in if_nameindex():
        if known == index:
            return name
    raise OSError(6, "No such device or address")


def getservbyname(name, protocol=None, /):
    port = _service(name, protocol)
    if port is None:
        raise OSError("service/proto not found")
    return port


def _service(name, protocol):
    if protocol not in (None, "tcp", "udp"):
        return None
    excluded = {"tcp": _DATAGRAM_ONLY, "udp": _STREAM_ONLY, None: ()}[protocol]
    return None if name in excluded else _SERVICES.get(name)


def getservbyport(port, protocol=None, /):
    if not 0 <= port <= 65535:
        raise OverflowError("getservbyport: port must be 0-65535.")
    for name in _SERVICES:
        if _service(name, protocol) == port:
            return name
    raise OSError("port/proto not found")


def getprotobyname(name, /):
    if name not in _PROTOCOLS:
        raise OSError("protocol not found")
    return _PROTOCOLS[name]


def _text(host):
    """A host name as text in ASCII."""
    if isinstance(host, (bytes, bytearray)):
        host = bytes(host).decode("ascii")
    if not isinstance(host, str):
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    if "\0" in host:
        raise ValueError("embedded null character")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _written(host):
    """The address tuple of an address as it is written, or ``None``."""
    found = _native.written(host)
    if found is None:
        packed = _aton(host)
        if packed is not None:
            return (inet_ntoa(packed), 0)
    return found


def _port(port, kind, flags):
    if port is None:
        return 0
    if isinstance(port, int):
        if not -0x8000000000000000 <= port <= 0xFFFFFFFFFFFFFFFF:
            raise OverflowError("Python int too large to convert to C long")
        return port & 0xFFFF
    if isinstance(port, (bytes, bytearray)):
        port = bytes(port).decode("ascii")
    if not isinstance(port, str):
        raise OSError("Int or String expected")
    if not port:
        return 0
    if port.isascii() and port.isdigit():
        return int(port) & 0xFFFF
    if flags & AI_NUMERICSERV:
        raise _gai(EAI_NONAME)
    number = _service(port, {SOCK_STREAM: "tcp", SOCK_DGRAM: "udp"}.get(kind))
    if number is None:
        raise _gai(EAI_SERVICE)
    return number


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    if host is None and port is None:
        raise _gai(EAI_NONAME)
    if family not in (AF_UNSPEC, AF_INET, AF_INET6):
        raise _gai(EAI_FAMILY)
    if flags & ~0x7FFF:
        raise _gai(EAI_BADFLAGS)
    kinds = [
        (kind, number)
        for kind, number in ((SOCK_STREAM, 6), (SOCK_DGRAM, 17), (SOCK_RAW, 0))
        if type in (0, kind) and (proto in (0, number) or kind == SOCK_RAW)
    ]
    if not kinds:
        raise _gai(EAI_SOCKTYPE if type not in (1, 2, 3) else EAI_SERVICE)
    number = _port(port, type, flags)
    name = ""
    if host is None:
        any_address = flags & AI_PASSIVE
        # Linux lists the IPv4 address first when both mean this machine.
        found = (
            [("0.0.0.0", 0), ("::", 0, 0, 0)]
            if any_address
            else [("::1", 0, 0, 0), ("127.0.0.1", 0)]
        )
    else:
        name = _text(host)
        if name == "":
            raise _gai(EAI_NONAME)
        written = _written(name)
        if written is not None:
            found = [written]
            if family and (len(written) == 4) != (family == AF_INET6):
                raise _gai(EAI_ADDRFAMILY)
        elif flags & AI_NUMERICHOST:
            raise _gai(EAI_NONAME)
        else:
            found = _native.resolve(name, number or None)
    answers = []
    for address in found:
        of = AF_INET6 if len(address) == 4 else AF_INET
        if family not in (AF_UNSPEC, of):
            continue
        canonical = name if flags & AI_CANONNAME and not answers else ""
        for kind, protocol in kinds:
            where = (address[0], number) + tuple(address[2:])
            answers.append((of, kind, protocol or proto, canonical, where))
    if not answers:
        raise gaierror(EAI_NODATA, "No address associated with hostname")
    return answers


def gethostbyname(name, /):
    if name == "":
        return "0.0.0.0"
    if name in ("<broadcast>", "255.255.255.255"):
        return "255.255.255.255"
    return getaddrinfo(name, None, AF_INET, SOCK_STREAM)[0][4][0]


def gethostbyname_ex(name, /):
    found = (
        getaddrinfo(name, None, AF_INET, SOCK_STREAM) if name else [(0, 0, 0, "", ("0.0.0.0", 0))]
    )
    return (_text(name), [], [entry[4][0] for entry in found])


def gethostbyaddr(address, /):
    text = _text(address)
    if text and _written(text) is None:
        text = getaddrinfo(text, None, 0, SOCK_STREAM)[0][4][0]
    if not text:
        raise gaierror(EAI_NONAME, _GAI_WORDS[EAI_NONAME])
    try:
        name = _native.reverse(text)
    except gaierror as failure:
        raise herror(
            1 if failure.errno == EAI_NONAME else 2,
            "Unknown host" if failure.errno == EAI_NONAME else "Host name lookup failure",
        ) from None
    return (name, [], [text.partition("%")[0]])


def getnameinfo(address, flags, /):
    if not isinstance(address, tuple):
        raise TypeError("getnameinfo() argument 1 must be a tuple")
    host, port, *rest = address
    if rest and not 0 <= rest[0] <= 0xFFFFF:
        raise OverflowError("getnameinfo(): flowinfo must be 0-1048575.")
    if not 0 <= port <= 65535:
        raise OverflowError("getnameinfo(): port must be 0-65535.")
    found = _written(_text(host))
    if found is None:
        raise _gai(EAI_NONAME)
    if len(found) == 2 and rest:
        raise OSError("IPv4 sockaddr must be 2 tuple")
    name = found[0]
    if not flags & NI_NUMERICHOST:
        try:
            name = _native.reverse(name)
        except (gaierror, PermissionError):
            if flags & NI_NAMEREQD:
                raise _gai(EAI_NONAME) from None
    if not flags & NI_NUMERICSERV:
        try:
            return name, getservbyport(port, "udp" if flags & NI_DGRAM else "tcp")
        except OSError:
            pass
    return name, str(port)


def sethostname(name, /):
    raise PermissionError(1, "Operation not permitted")
