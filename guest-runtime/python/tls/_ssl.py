"""Module ``_ssl``: what CPython's ``ssl`` is made of, over the hub's TLS.

Owns the Python side: contexts that collect settings, memory BIOs, and the loop
that carries bytes between a socket or a pair of BIOs and a session in the hub.
The cryptography, the decision about certificates, and the roots of the system are
the hub's (``_cordon_tls``); it speaks TLS 1.2 and 1.3. Numbers and texts are those
that plugins know from OpenSSL.
"""

import gc
import os
import weakref
from _thread import allocate_lock

import _cordon_tls
import _ssl_certificate
import _ssl_ciphers
from _ssl_certificate import nid2obj, txt2obj  # noqa: F401 (part of the module)
from _ssl_constants import *  # noqa: F401,F403
from _ssl_constants import (
    CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, HOSTFLAG_NEVER_CHECK_SUBJECT, OP_ALL,
    OP_CIPHER_SERVER_PREFERENCE, OP_ENABLE_MIDDLEBOX_COMPAT, OP_IGNORE_UNEXPECTED_EOF,
    OP_NO_COMPRESSION, OP_NO_SSLv3, OP_NO_TLSv1, OP_NO_TLSv1_1, OP_NO_TLSv1_2, OP_NO_TLSv1_3,
    PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, PROTOCOL_TLSv1,
    PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2, PROTO_MAXIMUM_SUPPORTED, PROTO_MINIMUM_SUPPORTED,
    PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3,
    VERIFY_CRL_CHECK_CHAIN, VERIFY_X509_TRUSTED_FIRST, ENCODING_DER, ENCODING_PEM,
)
from _ssl_constants import _DEFAULT_CIPHERS, _OPENSSL_API_VERSION  # noqa: F401
from _ssl_errors import (
    SSLCertVerificationError, SSLEOFError, SSLError, SSLSyscallError,  # noqa: F401
    SSLWantReadError, SSLWantWriteError, SSLZeroReturnError,
    eof, failed, made, plain, want_read, want_write, zero_return,
)

# Bundles that programs name to mean the roots of the system. A plugin has no such
# file; it means the hub's.
_SYSTEM_BUNDLES = frozenset((
    "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/ssl/certs",
    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem",
    "/usr/local/etc/openssl/cert.pem", "/private/etc/ssl/cert.pem",
))

_VERSIONS = (PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3)

# What `load_cert_chain` takes for a key that stays in the hub.
_GRANT = "grant:"

# Bytes that are read from a socket, or taken from the hub, at once.
_CHUNK = 65536

# Stages of a session, as the hub counts them.
_GREETED, _HANDSHAKE, _OPEN, _CLOSED = range(4)


def RAND_bytes(n):
    """Random bytes of the system."""
    if n < 0:
        raise ValueError("num must be positive")
    return os.urandom(n)


def RAND_status():
    return True


def RAND_add(string, entropy):
    """The generator is the system's and takes nothing from a plugin."""


def get_default_verify_paths():
    return "SSL_CERT_FILE", "/etc/ssl/cert.pem", "SSL_CERT_DIR", "/etc/ssl/certs"


def _test_decode_cert(path):
    with open(path, "rb") as file:
        return _ssl_certificate.decoded(_certificates(file.read())[0])


def _sections(data, what):
    try:
        return _cordon_tls.pem_sections(data)
    except ValueError as damage:
        raise plain("PEM", "BAD_BASE64_DECODE", "%s: %s" % (what, damage)) from None


def _certificates(data):
    return [der for kind, der in _sections(data, "certificate") if kind == "certificate"]


def _path(value):
    return os.fsdecode(os.fspath(value))


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


class SSLSession:
    """A session to be resumed. The hub resumes none, so there never is one."""

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.SSLSession' instances")


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


class _SSLContext:
    """Settings. The hub's context is made from them at their first use."""

    def __new__(cls, protocol):
        if protocol not in (PROTOCOL_TLS, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER,
                            PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2):
            raise ValueError("invalid or unsupported protocol version")
        self = object.__new__(cls)
        client = protocol == PROTOCOL_TLS_CLIENT
        self._protocol = int(protocol)
        self._host = None
        self._check_hostname = client
        self._verify_mode = CERT_REQUIRED if client else CERT_NONE
        self._verify_flags = VERIFY_X509_TRUSTED_FIRST
        self._options = (OP_ALL | OP_NO_SSLv3 | OP_CIPHER_SERVER_PREFERENCE | OP_NO_COMPRESSION
                         | OP_ENABLE_MIDDLEBOX_COMPAT | OP_IGNORE_UNEXPECTED_EOF)
        fixed = {PROTOCOL_TLSv1: PROTO_TLSv1, PROTOCOL_TLSv1_1: PROTO_TLSv1_1,
                 PROTOCOL_TLSv1_2: PROTO_TLSv1_2}.get(protocol)
        self._minimum = fixed or PROTO_MINIMUM_SUPPORTED
        self._maximum = fixed or PROTO_MAXIMUM_SUPPORTED
        self._host_flags_value = 0
        self._roots = {}
        self._system_roots = False
        self._chain = []
        self._key = None
        self._granted = None
        self._alpn = []
        self._suites = []
        self._sni_callback = None
        self._message_callback = None
        self._post_handshake_auth = False
        self._tickets = 2
        return self

    protocol = property(lambda self: self._protocol)
    security_level = property(lambda self: 2)

    def _changed(self):
        self._host = None

    @property
    def check_hostname(self):
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value):
        self._check_hostname = bool(value)
        if self._check_hostname and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED
        self._changed()

    @property
    def verify_mode(self):
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value):
        value = int(value)
        if value not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if value == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when "
                             "check_hostname is enabled.")
        self._verify_mode = value
        self._changed()

    @property
    def verify_flags(self):
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value):
        value = int(value)
        if value & VERIFY_CRL_CHECK_CHAIN:
            # To go on would mean to trust what the plugin asked to look up.
            raise NotImplementedError("revocation lists are not supported")
        self._verify_flags = value

    @property
    def options(self):
        return self._options

    @options.setter
    def options(self, value):
        value = int(value)
        if value < 0:
            raise OverflowError("can't convert negative value to unsigned int")
        self._options = value
        self._changed()

    def _version(self, value, name):
        if self._protocol in (PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2):
            raise ValueError("The context's protocol doesn't support modification of "
                             "highest and lowest version.")
        value = int(value)
        if value not in _VERSIONS + (PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED):
            raise ValueError("Unsupported TLS/SSL version 0x%x" % (value & 0xFFFFFFFF))
        setattr(self, name, value)
        self._changed()

    minimum_version = property(
        lambda self: self._minimum, lambda self, value: self._version(value, "_minimum"))
    maximum_version = property(
        lambda self: self._maximum, lambda self, value: self._version(value, "_maximum"))

    def _speaks(self, version, forbidden):
        lowest = {PROTO_MINIMUM_SUPPORTED: 0, PROTO_MAXIMUM_SUPPORTED: PROTO_TLSv1_3}
        highest = {PROTO_MINIMUM_SUPPORTED: PROTO_TLSv1_2, PROTO_MAXIMUM_SUPPORTED: 0xFFFF}
        return (lowest.get(self._minimum, self._minimum) <= version
                <= highest.get(self._maximum, self._maximum)
                and not self._options & forbidden)

    @property
    def _host_flags(self):
        return self._host_flags_value

    @_host_flags.setter
    def _host_flags(self, value):
        self._host_flags_value = int(value)
        self._changed()

    @property
    def sni_callback(self):
        return self._sni_callback

    @sni_callback.setter
    def sni_callback(self, value):
        if value is not None and not callable(value):
            raise TypeError("not a callable object")
        if self._protocol == PROTOCOL_TLS_CLIENT:
            raise ValueError("sni_callback cannot be set on TLS_CLIENT context")
        self._sni_callback = value

    @property
    def _msg_callback(self):
        return self._message_callback

    @_msg_callback.setter
    def _msg_callback(self, value):
        # Kept and never called: the messages are seen by the hub only.
        self._message_callback = value

    @property
    def post_handshake_auth(self):
        return self._post_handshake_auth

    @post_handshake_auth.setter
    def post_handshake_auth(self, value):
        self._post_handshake_auth = bool(value)

    @property
    def num_tickets(self):
        return self._tickets

    @num_tickets.setter
    def num_tickets(self, value):
        # Kept for who reads it back: no session is ever resumed.
        if value < 0:
            raise ValueError("value must be non-negative")
        if self._protocol != PROTOCOL_TLS_SERVER:
            raise ValueError("SSLContext is not a server context.")
        self._tickets = value

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        if cafile is not None:
            self._load_file(_path(cafile))
        if capath is not None:
            self._load_folder(_path(capath))
        if cadata is not None:
            self._load_data(cadata)
        self._changed()

    def _load_file(self, path):
        try:
            with open(path, "rb") as file:
                found = _certificates(file.read())
        except FileNotFoundError:
            if path not in _SYSTEM_BUNDLES:
                raise
            self._system_roots = True
            return
        if not found:
            raise plain("X509", "NO_CERTIFICATE_OR_CRL_FOUND", "no certificate or crl found")
        self._roots.update(dict.fromkeys(found))

    def _load_folder(self, path):
        if not os.path.isdir(path):
            self._system_roots = self._system_roots or path.rstrip("/") in _SYSTEM_BUNDLES
            return
        for name in sorted(os.listdir(path)):
            # OpenSSL's c_rehash makes such names, and it looks for no others.
            start, _, number = name.partition(".")
            if len(start) == 8 and number.isdigit():
                with open(os.path.join(path, name), "rb") as file:
                    self._roots.update(dict.fromkeys(_certificates(file.read())))

    def _load_data(self, data):
        if isinstance(data, str):
            try:
                found = _certificates(data.encode("ascii"))
            except UnicodeEncodeError:
                raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
        else:
            found = _ssl_certificate.split(bytes(data))
        if not found:
            raise plain("SSL", None, "not enough data: cadata does not contain a certificate")
        self._roots.update(dict.fromkeys(found))

    def set_default_verify_paths(self):
        file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        try:
            if file:
                self._load_file(file)
            if folder:
                self._load_folder(folder)
        except (OSError, ValueError):
            # As in OpenSSL: what cannot be read trusts nobody.
            pass
        self._system_roots = self._system_roots or not (file or folder)
        self._changed()

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        certificate = _path(certfile)
        before = self._chain, self._key, self._granted
        if certificate.startswith(_GRANT):
            self._chain, self._key, self._granted = [], None, certificate[len(_GRANT):]
        else:
            self._read_identity(certificate, keyfile, password)
        self._changed()
        try:
            # Now, so that a key that does not fit is told of here.
            self._host_context()
        except BaseException:
            self._chain, self._key, self._granted = before
            raise

    def _read_identity(self, certificate, keyfile, password):
        try:
            with open(certificate, "rb") as file:
                data = file.read()
        except OSError:
            # Perhaps the operator's file, whose key is granted under its path.
            self._chain, self._key, self._granted = [], None, certificate
            self._changed()
            try:
                self._host_context()
            except PermissionError:
                self._granted = None
            else:
                return
            raise
        chain = _certificates(data)
        if not chain:
            raise plain("SSL", "PEM_LIB", "PEM lib: %s holds no certificate" % certificate)
        if keyfile is not None:
            with open(_path(keyfile), "rb") as file:
                data = file.read()
        keys = [der for kind, der in _sections(data, "private key") if kind == "key"]
        if b"ENCRYPTED" in data:
            keys = [_ssl_certificate.decrypted_key(data, password)]
        if not keys:
            raise plain("SSL", "PEM_LIB", "PEM lib: there is no private key")
        self._chain, self._key, self._granted = chain, keys[0], None

    def get_ca_certs(self, binary_form=False):
        """Certificates that were given, as for a folder of roots without the system's."""
        found = [der for der in self._roots if _ssl_certificate.is_authority(der)]
        return found if binary_form else [_ssl_certificate.decoded(der) for der in found]

    def cert_store_stats(self):
        authorities = sum(map(_ssl_certificate.is_authority, self._roots))
        return {"x509": len(self._roots), "crl": 0, "x509_ca": authorities}

    def set_ciphers(self, cipherlist, /):
        suites = _ssl_ciphers.selected(cipherlist)
        if not suites:
            raise SSLError("No cipher can be selected.")
        self._suites = suites
        self._changed()

    def get_ciphers(self):
        return _ssl_ciphers.described(self._suites)

    def _set_alpn_protocols(self, protocols):
        names, rest = [], bytes(protocols)
        while rest:
            names.append(rest[1:1 + rest[0]])
            rest = rest[1 + rest[0]:]
        self._alpn = names
        self._changed()

    def set_ecdh_curve(self, name, /):
        name = os.fsdecode(name)
        if name not in ("prime256v1", "secp384r1", "X25519", "x25519", "P-256", "P-384"):
            raise ValueError("unknown elliptic curve name %r" % name)

    def load_dh_params(self, path, /):
        # Not used: every suite of the hub has elliptic curves.
        with open(path, "rb") as file:
            file.read()

    def session_stats(self):
        names = ("number", "connect", "connect_good", "connect_renegotiate", "accept",
                 "accept_good", "accept_renegotiate", "hits", "misses", "timeouts",
                 "cache_full")
        return dict.fromkeys(names, 0)

    def set_psk_client_callback(self, callback):
        raise NotImplementedError("the hub's TLS has no pre-shared keys")

    set_psk_server_callback = set_psk_client_callback

    def _host_context(self):
        """The hub's context for the settings as they are."""
        if self._host is not None:
            return self._host
        tls12 = self._speaks(PROTO_TLSv1_2, OP_NO_TLSv1_2)
        tls13 = self._speaks(PROTO_TLSv1_3, OP_NO_TLSv1_3)
        if not (tls12 or tls13):
            raise plain("SSL", "NO_PROTOCOLS_AVAILABLE",
                        "no protocols available: the hub speaks TLS 1.2 and 1.3 only")
        common_name = not self._host_flags_value & HOSTFLAG_NEVER_CHECK_SUBJECT
        self._host = _open(
            _cordon_tls.open_context, tls12=tls12, tls13=tls13, suites=self._suites,
            verify=self._verify_mode, check_hostname=self._check_hostname,
            common_name=common_name, system_roots=self._system_roots,
            roots=list(self._roots), chain=self._chain, key=self._key,
            granted=self._granted, alpn=self._alpn)
        return self._host

    def _check_role(self, server_side):
        if server_side and self._protocol == PROTOCOL_TLS_CLIENT:
            raise plain(None, None,
                        "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context")
        if not server_side and self._protocol == PROTOCOL_TLS_SERVER:
            raise plain(None, None,
                        "Cannot create a client socket with a PROTOCOL_TLS_SERVER context")

    def _wrap_socket(self, sock, server_side, server_hostname=None, *, owner=None, session=None):
        self._check_role(server_side)
        return _SSLSocket(self, _Wire(sock), server_side, server_hostname, owner, session)

    def _wrap_bio(self, incoming, outgoing, server_side, server_hostname=None, *,
                  owner=None, session=None):
        self._check_role(server_side)
        carrier = _Memory(incoming, outgoing)
        return _SSLSocket(self, carrier, server_side, server_hostname, owner, session)


def _open(function, *arguments, **settings):
    """What the hub makes. Forgotten objects in cycles hold theirs until collected."""
    result = function(*arguments, **settings)
    if isinstance(result, tuple) and result[0] in ("too-many", "too-large"):
        gc.collect()
        result = function(*arguments, **settings)
    return made(result)


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
        if session is not None:
            raise TypeError("Value is not a SSLSession.")
        if server_hostname is not None:
            if not server_hostname or server_hostname.startswith("."):
                raise ValueError("server_hostname cannot be an empty string or start "
                                 "with a leading dot.")
            if "\0" in server_hostname:
                raise TypeError("embedded null character")
        if context.check_hostname and not server_side and not server_hostname:
            raise ValueError("check_hostname requires server_hostname")
        self._context = context
        self._carrier = carrier
        self._owner = None if owner is None else weakref.ref(owner)
        self.server_side = bool(server_side)
        self.server_hostname = server_hostname
        host = context._host_context()
        if server_side:
            self._session = _open(_cordon_tls.open_server, host, context.sni_callback is not None)
        else:
            name = None if server_hostname is None else server_hostname.rstrip(".")
            self._session = _open(_cordon_tls.open_client, host, name)
        self._agreed = None
        self._stage = _HANDSHAKE
        self._plaintext = 0
        self._fed = self._unsent = b""
        # Of the record that `_receive_record` reads: its head so far, what is left.
        self._head, self._left = b"", 0
        self._unreported = 0
        self._reading, self._writing = allocate_lock(), allocate_lock()

    @property
    def context(self):
        return self._context

    @context.setter
    def context(self, value):
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
            self._unsent = self._unsent[self._carrier.send(self._unsent, operation):]

    def _flush_soon(self, operation):
        """Sends, unless another thread does: who reads must not wait for who writes."""
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
        """Feeds what there is, or what comes next. The caller holds ``_reading``."""
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

    def _answer_greeting(self):
        """Asks the plugin which certificate to show."""
        import sys

        before = self._context
        alert = 80
        try:
            alert = before.sni_callback(self.owner, self._session.greeted_name(), before)
            if alert is not None and not isinstance(alert, int):
                raise TypeError("servername callback must return None or an integer, not %r"
                                % type(alert).__name__)
        except Exception:
            alert = 80 if alert != 80 else 40
            sys.excepthook(*sys.exc_info())
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
            room[:len(data)] = data
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
            # What was accepted by the call before, which said so by failing.
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
                    raise plain("SSL", "APPLICATION_DATA_AFTER_CLOSE_NOTIFY",
                                "application data after close notify")
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
        return {0x303: "TLSv1.2", 0x304: "TLSv1.3"}.get(self._agreed[0])

    def cipher(self):
        return None if self._agreed is None else _ssl_ciphers.named(self._agreed[1])

    def shared_ciphers(self):
        if self._agreed is None or not self.server_side:
            return None
        return [self.cipher()]

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
