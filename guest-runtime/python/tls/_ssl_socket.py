"""One TLS session, and the carrier of its bytes: a socket or a pair of memory BIOs."""

import warnings
import weakref
from _thread import allocate_lock
from types import SimpleNamespace

import _cordon_tls
import _ssl_certificate
import _ssl_ciphers
from _ssl_constants import CERT_NONE, ENCODING_DER, ENCODING_PEM
from _ssl_errors import (
    SSLError,
    SSLWantWriteError,
    eof,
    failed,
    plain,
    want_read,
    want_write,
    zero_return,
)
from _ssl_hub import opened

# Bytes that are read from a socket, or taken from the hub, at once.
_CHUNK = 65536

# Stages of a session, as the hub counts them.
_GREETED, _HANDSHAKE, _OPEN, _CLOSED = range(4)


class MemoryBIO:
    """Bytes that wait between a session and whoever carries them."""

    def __init__(self):
        self._bytes = bytearray()
        self._ended = False

    @property
    def pending(self):
        """Number of bytes that wait."""
        return len(self._bytes)

    @property
    def eof(self):
        """Whether all was read and no more will come."""
        return self._ended and not self._bytes

    def read(self, size=-1, /):
        if size is None or size < 0 or size >= len(self._bytes):
            data = bytes(self._bytes)
            self._bytes.clear()
            return data
        data = bytes(self._bytes[:size])
        del self._bytes[:size]
        return data

    def write(self, b, /):
        if self._ended:
            raise plain(None, None, "cannot write() after write_eof()")
        with memoryview(b) as view:
            self._bytes += view
            return view.nbytes

    def write_eof(self):
        self._ended = True


class Certificate:
    """A certificate of a chain."""

    def __init__(self, der):
        self._der = der

    def public_bytes(self, format=ENCODING_PEM):
        if format == ENCODING_DER:
            return self._der
        if format == ENCODING_PEM:
            from ssl import DER_cert_to_PEM_cert

            return DER_cert_to_PEM_cert(self._der)
        raise ValueError("Unsupported format")

    def get_info(self):
        return _ssl_certificate.decoded(self._der)

    def __eq__(self, other):
        return isinstance(other, Certificate) and other._der == self._der

    def __hash__(self):
        return hash(self._der)


class _Memory:
    """Carries bytes between a session and two memory BIOs."""

    def __init__(self, incoming, outgoing):
        for bio in (incoming, outgoing):
            if not isinstance(bio, MemoryBIO):
                raise TypeError("a MemoryBIO is needed, not %s" % type(bio).__name__)
        self._incoming, self._outgoing = incoming, outgoing

    def receive(self, operation, most=_CHUNK):
        data = self._incoming.read(most)
        if not data and not self._incoming._ended:
            raise want_read()
        return data

    def send(self, data, operation):
        return self._outgoing.write(data)

    def socket(self):
        return None


class _Wire:
    """Carries bytes between a session and a connected socket.

    The methods of the plain socket are called: those of ``SSLSocket`` come here.
    """

    def __init__(self, sock):
        import _socket

        self._sock = weakref.ref(sock)
        self._recv, self._send = _socket.socket.recv, _socket.socket.send

    def socket(self):
        sock = self._sock()
        if sock is None:
            raise plain(None, None, "Underlying socket connection gone")
        return sock

    def receive(self, operation, most=_CHUNK):
        try:
            return self._recv(self.socket(), most)
        except BlockingIOError:
            raise want_read() from None
        except TimeoutError:
            raise TimeoutError("The %s operation timed out" % operation) from None

    def send(self, data, operation):
        try:
            return self._send(self.socket(), data)
        except BlockingIOError:
            raise want_write() from None
        except TimeoutError:
            raise TimeoutError("The %s operation timed out" % operation) from None


class _SSLSocket:
    """One session with whoever carries its bytes.

    A reader and a writer may be two threads. Each direction has a lock, because
    bytes have to reach the session, and the peer, in their order.
    """

    def __init__(self, context, carrier, server_side, server_hostname, owner, session):
        if server_side and server_hostname is not None:
            raise ValueError("server_hostname can only be specified in client mode")
        if session is not None:
            raise TypeError("Value is not a SSLSession.")
        if server_hostname is not None:
            if not server_hostname or server_hostname.startswith("."):
                raise ValueError(
                    "server_hostname cannot be an empty string or start with a leading dot."
                )
            if "\0" in server_hostname:
                raise TypeError("embedded null character")
        if context.check_hostname and not server_side and not server_hostname:
            if not isinstance(carrier, _Memory):
                raise ValueError("check_hostname requires server_hostname")
            # As in CPython, the handshake fails only: no certificate has the name.
            warnings.warn(
                "check_hostname requires server_hostname", DeprecationWarning, stacklevel=4
            )
        self._context = context
        self._carrier = carrier
        self._owner = None if owner is None else weakref.ref(owner)
        self.server_side = bool(server_side)
        self.server_hostname = server_hostname
        host = context._host_context()
        if server_side:
            self._session = opened(_cordon_tls.open_server, host, context.sni_callback is not None)
        else:
            name = None if server_hostname is None else server_hostname.rstrip(".")
            self._session = opened(_cordon_tls.open_client, host, name)
        self._agreed = None
        self._stage = _HANDSHAKE
        self._plaintext = 0
        self._fed = self._unsent = b""
        # The record that `_receive_record` reads: its head so far, and the number of bytes
        # left.
        self._head, self._left = b"", 0
        self._unreported = 0
        self._reading, self._writing = allocate_lock(), allocate_lock()

    @property
    def context(self):
        return self._context

    @context.setter
    def context(self, value):
        from _ssl_context import _SSLContext

        if not isinstance(value, _SSLContext):
            raise TypeError("The value must be a SSLContext")
        self._context = value

    @property
    def owner(self):
        return None if self._owner is None else self._owner()

    session_reused = property(lambda self: False)

    @property
    def session(self):
        return None

    @session.setter
    def session(self, value):
        raise TypeError("Value is not a SSLSession.")

    def _flush(self, operation):
        with self._writing:
            self._send_all(operation)

    def _send_all(self, operation):
        while True:
            if not self._unsent:
                self._unsent = self._session.take(_CHUNK)
                if not self._unsent:
                    return
            self._unsent = self._unsent[self._carrier.send(self._unsent, operation) :]

    def _flush_soon(self, operation):
        """Sends, unless another thread does: a reader must not wait for a writer."""
        if self._writing.acquire(False):
            try:
                self._send_all(operation)
            except SSLWantWriteError:
                # The next write sends it.
                pass
            finally:
                self._writing.release()

    def _progress(self, result):
        """Notes the answer of ``feed``; raises when the session failed."""
        if isinstance(result[0], str):
            try:
                # The alert, so that the peer knows as well.
                self._flush_soon("write")
            except OSError:
                pass
            raise failed(result)
        taken, self._stage, self._plaintext = result
        self._fed = self._fed[taken:]

    def _receive(self, operation):
        """Feeds the bytes that are there or come next. The caller holds
        ``_reading``."""
        if not self._fed:
            self._fed = self._carrier.receive(operation)
            if not self._fed:
                raise eof()
        self._progress(self._session.feed(self._fed))

    def _receive_record(self, operation):
        """One record at most: behind the last one of a session plain text may follow."""
        if not self._fed:
            self._fed = self._carrier.receive(operation, self._left or 5 - len(self._head))
            if not self._fed:
                raise eof()
            if self._left:
                self._left -= len(self._fed)
            else:
                self._head += self._fed
                if len(self._head) == 5:
                    self._head, self._left = b"", int.from_bytes(self._head[3:], "big")
        self._progress(self._session.feed(self._fed))

    def do_handshake(self):
        with self._reading:
            self._handshake("handshake")

    def _handshake(self, operation):
        if self._agreed is not None:
            return
        while self._stage in (_GREETED, _HANDSHAKE):
            self._flush(operation)
            self._receive(operation)
            if self._stage == _GREETED:
                self._answer_greeting()
        self._flush(operation)
        self._agreed = self._session.agreed()
        if self._context.verify_mode != CERT_NONE:
            self._context._used(self._agreed[3])

    def _answer_greeting(self):
        """Asks the plugin which certificate to show."""
        import sys

        before = self._context
        alert = 80
        try:
            alert = before.sni_callback(self.owner, self._session.greeted_name(), before)
            if alert is not None and not isinstance(alert, int):
                raise TypeError(
                    "servername callback must return None or an integer, not %r"
                    % type(alert).__name__
                )
        except Exception as failure:
            alert = 80 if alert != 80 else 40
            sys.unraisablehook(
                SimpleNamespace(
                    exc_type=type(failure),
                    exc_value=failure,
                    exc_traceback=failure.__traceback__,
                    err_msg=None,
                    object=before.sni_callback,
                )
            )
        if alert is None:
            wrong = self._session.choose(self._context._host_context())
            if wrong is not None:
                self._progress(wrong)
        else:
            self._session.refuse(alert)
        self._progress(self._session.feed(self._fed))

    def _ready(self, operation):
        if self._agreed is None:
            with self._reading:
                self._handshake(operation)

    def read(self, size, buffer=None, /):
        if buffer is None:
            if size < 0:
                raise ValueError("size should not be negative")
            return self._read(size) if size else b""
        with memoryview(buffer) as view, view.cast("B") as room:
            if size <= 0 or size > len(room):
                size = len(room)
            data = self._read(size) if size else b""
            room[: len(data)] = data
            return len(data)

    def _read(self, size):
        self._ready("read")
        with self._reading:
            while not self._plaintext:
                if self._stage == _CLOSED:
                    return b""
                self._receive("read")
                self._flush_soon("read")
            data = self._session.read(size)
            self._plaintext -= len(data)
            return data

    def write(self, data, /):
        self._ready("write")
        with memoryview(data) as view, view.cast("B") as octets, self._writing:
            # The bytes that the call before accepted and, because it failed, did not report.
            count, self._unreported = self._unreported, 0
            try:
                self._send_all("write")
            except SSLWantWriteError:
                self._unreported = count
                raise
            if count or not octets:
                return count
            count = self._session.write(octets[:_CHUNK])
            if not count:
                raise zero_return()
            try:
                self._send_all("write")
            except SSLWantWriteError:
                self._unreported = count
                raise
            return count

    def pending(self):
        return self._plaintext

    def shutdown(self):
        if self._agreed is None:
            raise plain("SSL", "SHUTDOWN_WHILE_IN_INIT", "shutdown while in init")
        self._session.say_goodbye()
        self._flush("write")
        with self._reading:
            while self._stage != _CLOSED:
                if self._plaintext:
                    raise plain(
                        "SSL",
                        "APPLICATION_DATA_AFTER_CLOSE_NOTIFY",
                        "application data after close notify",
                    )
                self._receive_record("read")
        return self._carrier.socket()

    def _chain(self):
        if self._agreed is None:
            raise ValueError("handshake not done yet")
        return self._agreed[3]

    def getpeercert(self, binary_mode=False, /):
        chain = self._chain()
        if not chain:
            return None
        if binary_mode:
            return chain[0]
        if self._context.verify_mode == CERT_NONE:
            return {}
        return _ssl_certificate.decoded(chain[0])

    def get_unverified_chain(self):
        return [Certificate(der) for der in self._chain()]

    def get_verified_chain(self):
        """As the peer sent it: which root it led to stays in the hub."""
        return self.get_unverified_chain()

    def version(self):
        if self._agreed is None:
            return None
        names = {0x301: "TLSv1", 0x302: "TLSv1.1", 0x303: "TLSv1.2", 0x304: "TLSv1.3"}
        return names.get(self._agreed[0])

    def cipher(self):
        return None if self._agreed is None else _ssl_ciphers.named(self._agreed[1])

    def shared_ciphers(self):
        if self.server_side:
            return None if self._agreed is None else [self.cipher()]
        return _ssl_ciphers.offered(self._context._suites)

    def selected_alpn_protocol(self):
        if self._agreed is None or self._agreed[2] is None:
            return None
        return self._agreed[2].decode("ascii", "replace")

    def compression(self):
        return None

    def get_channel_binding(self, cb_type="tls-unique"):
        if cb_type == "tls-exporter":
            return self._session.exported()
        # tls-unique does not exist in TLS 1.3, and rustls does not tell it for 1.2.
        raise ValueError("%r channel binding type not implemented" % cb_type)

    def verify_client_post_handshake(self):
        raise SSLError("post-handshake authentication is not supported by the hub's TLS")
