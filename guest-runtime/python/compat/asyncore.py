"""Sockets served by callbacks in one loop, as before ``asyncio``."""

import errno
import selectors
import socket
import sys
import time
import traceback

socket_map = {}

# Not every platform has all of them.
_GONE = {
    getattr(errno, name, None)
    for name in ("ECONNRESET", "ENOTCONN", "ESHUTDOWN", "ECONNABORTED", "EPIPE", "EBADF")
} - {None}
_LATER = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EINPROGRESS, errno.EALREADY}


class ExitNow(Exception):
    pass


_PASSED_ON = (ExitNow, KeyboardInterrupt, SystemExit)


def _call(obj, method):
    try:
        method()
    except _PASSED_ON:
        raise
    except OSError as failure:
        if failure.errno in _GONE:
            obj.handle_close()
        else:
            obj.handle_error()
    except Exception:
        obj.handle_error()


def read(obj):
    _call(obj, obj.handle_read_event)


def write(obj):
    _call(obj, obj.handle_write_event)


def poll(timeout=0.0, map=None):
    """Waits once for all sockets and calls whom it concerns."""
    map = socket_map if map is None else map
    with selectors.DefaultSelector() as selector:
        for fd, obj in list(map.items()):
            events = 0
            if obj.readable():
                events |= selectors.EVENT_READ
            # A listener has nothing to write.
            if obj.writable() and not obj.accepting:
                events |= selectors.EVENT_WRITE
            if events:
                selector.register(fd, events, obj)
        if not selector.get_map():
            time.sleep(timeout or 0)
            return
        for key, events in selector.select(timeout):
            obj = key.data
            if events & selectors.EVENT_READ and map.get(key.fd) is obj:
                read(obj)
            if events & selectors.EVENT_WRITE and map.get(key.fd) is obj:
                write(obj)


poll2 = poll


def loop(timeout=30.0, use_poll=False, map=None, count=None):
    """Polls until no socket is left, or ``count`` times."""
    map = socket_map if map is None else map
    while map and (count is None or count > 0):
        poll(timeout, map)
        if count is not None:
            count -= 1


class dispatcher:
    """A socket with callbacks."""

    debug = False
    connected = False
    accepting = False
    connecting = False
    closing = False
    addr = None
    ignore_log_types = frozenset(["warning"])

    def __init__(self, sock=None, map=None):
        self._map = socket_map if map is None else map
        self._fileno = None
        self.socket = None
        if sock is not None:
            sock.setblocking(False)
            self.set_socket(sock, map)
            self.connected = True
            try:
                self.addr = sock.getpeername()
            except OSError as failure:
                if failure.errno not in (errno.ENOTCONN, errno.EINVAL):
                    self.del_channel(map)
                    raise
                self.connected = False

    def __repr__(self):
        return "<%s.%s %s at %#x>" % (
            type(self).__module__,
            type(self).__qualname__,
            self.addr,
            id(self),
        )

    def create_socket(self, family=socket.AF_INET, type=socket.SOCK_STREAM):
        self.family_and_type = family, type
        sock = socket.socket(family, type)
        sock.setblocking(False)
        self.set_socket(sock)

    def set_socket(self, sock, map=None):
        self.socket = sock
        self._fileno = sock.fileno()
        self.add_channel(map)

    def set_reuse_addr(self):
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        except OSError:
            pass

    def add_channel(self, map=None):
        (self._map if map is None else map)[self._fileno] = self

    def del_channel(self, map=None):
        (self._map if map is None else map).pop(self._fileno, None)
        self._fileno = None

    def readable(self):
        return True

    def writable(self):
        return True

    def listen(self, num):
        self.accepting = True
        return self.socket.listen(num)

    def bind(self, addr):
        self.addr = addr
        return self.socket.bind(addr)

    def connect(self, address):
        self.connected = False
        self.connecting = True
        self.addr = address
        code = self.socket.connect_ex(address)
        if code in (0, errno.EISCONN):
            self.handle_connect_event()
        elif code not in _LATER:
            raise OSError(code, errno.errorcode.get(code, "connect failed"))

    def accept(self):
        """The new socket and its address, or ``None``."""
        try:
            return self.socket.accept()
        except TypeError:
            return None
        except OSError as failure:
            if failure.errno in _LATER | {errno.ECONNABORTED}:
                return None
            raise

    def send(self, data):
        try:
            return self.socket.send(data)
        except OSError as failure:
            if failure.errno in _LATER:
                return 0
            if failure.errno in _GONE:
                self.handle_close()
                return 0
            raise

    def recv(self, buffer_size):
        try:
            data = self.socket.recv(buffer_size)
        except OSError as failure:
            if failure.errno in _GONE:
                self.handle_close()
                return b""
            raise
        if not data:
            self.handle_close()
        return data

    def close(self):
        self.connected = self.accepting = self.connecting = False
        self.del_channel()
        if self.socket is not None:
            self.socket.close()

    def log(self, message):
        sys.stderr.write("log: %s\n" % message)

    def log_info(self, message, type="info"):
        if type not in self.ignore_log_types:
            print("%s: %s" % (type, message))

    # Events.

    def handle_read_event(self):
        if self.accepting:
            self.handle_accept()
            return
        if not self.connected and self.connecting:
            self.handle_connect_event()
        self.handle_read()

    def handle_write_event(self):
        if self.accepting:
            return
        if not self.connected and self.connecting:
            self.handle_connect_event()
        self.handle_write()

    def handle_connect_event(self):
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, errno.errorcode.get(code, "connect failed"))
        self.handle_connect()
        self.connected = True
        self.connecting = False

    def handle_expt_event(self):
        self.handle_expt()

    def handle_error(self):
        _, kind, value, info = compact_traceback()
        self.log_info(
            "uncaptured python exception, closing channel %r (%s:%s %s)"
            % (self, kind, value, info),
            "error",
        )
        self.handle_close()

    def handle_expt(self):
        self.log_info("unhandled incoming priority event", "warning")

    def handle_read(self):
        self.log_info("unhandled read event", "warning")

    def handle_write(self):
        self.log_info("unhandled write event", "warning")

    def handle_connect(self):
        self.log_info("unhandled connect event", "warning")

    def handle_accept(self):
        pair = self.accept()
        if pair is not None:
            self.handle_accepted(*pair)

    def handle_accepted(self, sock, addr):
        sock.close()
        self.log_info("unhandled accepted event", "warning")

    def handle_close(self):
        self.log_info("unhandled close event", "warning")
        self.close()


class dispatcher_with_send(dispatcher):
    """A dispatcher that keeps the bytes that the socket does not take at once."""

    def __init__(self, sock=None, map=None):
        super().__init__(sock, map)
        self.out_buffer = b""

    def initiate_send(self):
        sent = super().send(self.out_buffer[:65536])
        self.out_buffer = self.out_buffer[sent:]

    def handle_write(self):
        self.initiate_send()

    def writable(self):
        return not self.connected or bool(self.out_buffer)

    def send(self, data):
        self.out_buffer += data
        self.initiate_send()


def compact_traceback():
    """Where the running exception was raised, in one line."""
    kind, value, trace = sys.exc_info()
    if trace is None:
        raise AssertionError("traceback does not exist")
    frames = traceback.extract_tb(trace)
    last = frames[-1]
    info = " ".join("[%s|%s|%s]" % (f.filename, f.name, f.lineno) for f in frames)
    return (last.filename, last.name, last.lineno), kind, value, info


def close_all(map=None, ignore_all=False):
    map = socket_map if map is None else map
    for obj in list(map.values()):
        try:
            obj.close()
        except _PASSED_ON:
            raise
        except Exception:
            if not ignore_all:
                raise
    map.clear()
