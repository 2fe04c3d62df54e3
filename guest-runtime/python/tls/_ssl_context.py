"""Contexts of module ``ssl``: they collect settings for the hub's."""

import os
import warnings

import _cordon_tls
import _ssl_certificate
import _ssl_ciphers
from _ssl_constants import (
    CERT_NONE,
    CERT_OPTIONAL,
    CERT_REQUIRED,
    HOSTFLAG_NEVER_CHECK_SUBJECT,
    OP_ALL,
    OP_CIPHER_SERVER_PREFERENCE,
    OP_ENABLE_MIDDLEBOX_COMPAT,
    OP_IGNORE_UNEXPECTED_EOF,
    OP_NO_COMPRESSION,
    OP_NO_SSLv2,
    OP_NO_SSLv3,
    OP_NO_TLSv1,
    OP_NO_TLSv1_1,
    OP_NO_TLSv1_2,
    OP_NO_TLSv1_3,
    PROTOCOL_TLS,
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    PROTOCOL_TLSv1,
    PROTOCOL_TLSv1_1,
    PROTOCOL_TLSv1_2,
    PROTO_MAXIMUM_SUPPORTED,
    PROTO_MINIMUM_SUPPORTED,
    PROTO_SSLv3,
    PROTO_TLSv1,
    PROTO_TLSv1_1,
    PROTO_TLSv1_2,
    PROTO_TLSv1_3,
    VERIFY_CRL_CHECK_CHAIN,
    VERIFY_X509_TRUSTED_FIRST,
)
from _ssl_errors import SSLError, plain
from _ssl_hub import certificates, opened, sections
from _ssl_socket import _Memory, _SSLSocket, _Wire

# Bundles that programs name to mean the roots of the system. A plugin has no such file;
# its name means the hub's roots.
_SYSTEM_BUNDLES = frozenset(
    (
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/cert.pem",
        "/etc/ssl/certs",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/pki/tls/cert.pem",
        "/usr/local/etc/openssl/cert.pem",
        "/private/etc/ssl/cert.pem",
    )
)

# Names of what module ``ssl`` warns of, as CPython does.
_OLD_PROTOCOLS = {
    PROTOCOL_TLS: "PROTOCOL_TLS",
    PROTOCOL_TLSv1: "PROTOCOL_TLSv1",
    PROTOCOL_TLSv1_1: "PROTOCOL_TLSv1_1",
    PROTOCOL_TLSv1_2: "PROTOCOL_TLSv1_2",
}
_OLD_VERSIONS = {PROTO_SSLv3: "SSLv3", PROTO_TLSv1: "TLSv1", PROTO_TLSv1_1: "TLSv1_1"}
_OLD_OPTIONS = (
    OP_NO_SSLv2 | OP_NO_SSLv3 | OP_NO_TLSv1 | OP_NO_TLSv1_1 | OP_NO_TLSv1_2 | OP_NO_TLSv1_3
)

# The names of parameters of Diffie and Hellman in PEM files.
_DH_HEADS = (b"-----BEGIN DH PARAMETERS-----", b"-----BEGIN X9.42 DH PARAMETERS-----")

_VERSIONS = (PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3)

# The start of a name that `load_cert_chain` takes for a key that stays in the hub.
_GRANT = "grant:"


def _deprecated(text):
    # Over this function, the property of the class, and the one of module ssl.
    warnings.warn(text, DeprecationWarning, stacklevel=4)


def _path(value):
    return os.fsdecode(os.fspath(value))


class _SSLContext:
    """Settings. The hub's context is made from them at their first use."""

    def __new__(cls, protocol):
        if protocol not in (
            PROTOCOL_TLS,
            PROTOCOL_TLS_CLIENT,
            PROTOCOL_TLS_SERVER,
            PROTOCOL_TLSv1,
            PROTOCOL_TLSv1_1,
            PROTOCOL_TLSv1_2,
        ):
            raise ValueError("invalid or unsupported protocol version")
        if protocol in _OLD_PROTOCOLS:
            _deprecated("ssl.%s is deprecated" % _OLD_PROTOCOLS[protocol])
        self = object.__new__(cls)
        client = protocol == PROTOCOL_TLS_CLIENT
        self._protocol = int(protocol)
        self._host = None
        self._check_hostname = client
        self._verify_mode = CERT_REQUIRED if client else CERT_NONE
        self._verify_flags = VERIFY_X509_TRUSTED_FIRST
        self._options = (
            OP_ALL
            | OP_NO_SSLv3
            | OP_CIPHER_SERVER_PREFERENCE
            | OP_NO_COMPRESSION
            | OP_ENABLE_MIDDLEBOX_COMPAT
            | OP_IGNORE_UNEXPECTED_EOF
        )
        fixed = {
            PROTOCOL_TLSv1: PROTO_TLSv1,
            PROTOCOL_TLSv1_1: PROTO_TLSv1_1,
            PROTOCOL_TLSv1_2: PROTO_TLSv1_2,
        }.get(protocol)
        self._minimum = fixed or PROTO_MINIMUM_SUPPORTED
        self._maximum = fixed or PROTO_MAXIMUM_SUPPORTED
        self._host_flags_value = 0
        self._roots = {}
        self._folder_roots = {}
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
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = value
        self._changed()

    @property
    def verify_flags(self):
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value):
        value = int(value)
        if value & VERIFY_CRL_CHECK_CHAIN:
            # To go on would mean to trust certificates that the plugin asked to look up.
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
        if value & ~self._options & _OLD_OPTIONS:
            _deprecated("ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated")
        self._options = value
        self._changed()

    def _version(self, value, name, ends):
        if self._protocol in (PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2):
            raise ValueError(
                "The context's protocol doesn't support modification of highest and lowest version."
            )
        value = int(value)
        if value not in _VERSIONS + (PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED):
            raise ValueError("Unsupported TLS/SSL version 0x%x" % (value & 0xFFFFFFFF))
        if value in _OLD_VERSIONS:
            _deprecated("ssl.TLSVersion.%s is deprecated" % _OLD_VERSIONS[value])
        setattr(self, name, ends.get(value, value))
        self._changed()

    # The end of the range that belongs to the other side means the version at that end.
    minimum_version = property(
        lambda self: self._minimum,
        lambda self, value: self._version(
            value, "_minimum", {PROTO_MAXIMUM_SUPPORTED: PROTO_TLSv1_3}
        ),
    )
    maximum_version = property(
        lambda self: self._maximum,
        lambda self, value: self._version(
            value, "_maximum", {PROTO_MINIMUM_SUPPORTED: PROTO_TLSv1}
        ),
    )

    def _speaks(self, version, forbidden):
        lowest = {PROTO_MINIMUM_SUPPORTED: 0}
        highest = {PROTO_MAXIMUM_SUPPORTED: 0xFFFF}
        return (
            lowest.get(self._minimum, self._minimum)
            <= version
            <= highest.get(self._maximum, self._maximum)
            and not self._options & forbidden
        )

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
        # Kept for programs that read it back: no session is ever resumed.
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
                found = certificates(file.read())
        except FileNotFoundError:
            if path not in _SYSTEM_BUNDLES:
                raise
            self._system_roots = True
            return
        if not found:
            raise plain("X509", "NO_CERTIFICATE_OR_CRL_FOUND", "no certificate or crl found")
        if not all(map(_ssl_certificate.is_whole, found)):
            raise plain("X509", "PEM_LIB", "PEM lib: %s holds a damaged certificate" % path)
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
                    self._folder_roots.update(dict.fromkeys(certificates(file.read())))

    def _used(self, chain):
        """A root of a folder counts as loaded once it has signed a peer's certificate."""
        if not self._folder_roots or not chain:
            return
        issuer = _ssl_certificate.decoded(chain[-1]).get("issuer")
        for root in self._folder_roots:
            if _ssl_certificate.decoded(root).get("subject") == issuer:
                self._roots.setdefault(root)

    def _load_data(self, data):
        if isinstance(data, str):
            missing = "no start line"
            try:
                found = certificates(data.encode("ascii"))
            except UnicodeEncodeError:
                raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
        else:
            missing = "not enough data"
            found = _ssl_certificate.split(bytes(data))
        if not found:
            raise plain("SSL", None, missing + ": cadata does not contain a certificate")
        self._roots.update(dict.fromkeys(found))

    def set_default_verify_paths(self):
        file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
        try:
            if file:
                self._load_file(file)
            if folder:
                self._load_folder(folder)
        except (OSError, ValueError):
            # As in OpenSSL, a file that cannot be read makes nobody trusted.
            pass
        self._system_roots = self._system_roots or not (file or folder)
        self._changed()

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        certificate = _path(certfile)
        before = self._chain, self._key, self._granted
        if certificate.startswith(_GRANT):
            self._chain, self._key, self._granted = [], None, certificate[len(_GRANT) :]
        else:
            self._read_identity(certificate, keyfile, password)
        self._changed()
        try:
            # The context is made now, so that a key that does not fit is told of here.
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
        chain = certificates(data)
        if not chain:
            raise plain("SSL", "PEM_LIB", "PEM lib: %s holds no certificate" % certificate)
        if keyfile is not None:
            with open(_path(keyfile), "rb") as file:
                data = file.read()
        keys = [der for kind, der in sections(data, "private key") if kind == "key"]
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
            names.append(rest[1 : 1 + rest[0]])
            rest = rest[1 + rest[0] :]
        self._alpn = names
        self._changed()

    def set_ecdh_curve(self, name, /):
        name = os.fsdecode(name)
        if name not in ("prime256v1", "secp384r1", "X25519", "x25519", "P-256", "P-384"):
            raise ValueError("unknown elliptic curve name %r" % name)

    def load_dh_params(self, path, /):
        # Not used: every suite of the hub has elliptic curves.
        with open(path, "rb") as file:
            data = file.read()
        if not any(head in data for head in _DH_HEADS):
            raise plain("PEM", "NO_START_LINE", "no start line")

    def session_stats(self):
        names = (
            "number",
            "connect",
            "connect_good",
            "connect_renegotiate",
            "accept",
            "accept_good",
            "accept_renegotiate",
            "hits",
            "misses",
            "timeouts",
            "cache_full",
        )
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
            raise plain(
                "SSL",
                "NO_PROTOCOLS_AVAILABLE",
                "no protocols available: the hub speaks TLS 1.2 and 1.3 only",
            )
        common_name = not self._host_flags_value & HOSTFLAG_NEVER_CHECK_SUBJECT
        self._host = opened(
            _cordon_tls.open_context,
            tls12=tls12,
            tls13=tls13,
            suites=self._suites,
            verify=self._verify_mode,
            check_hostname=self._check_hostname,
            common_name=common_name,
            system_roots=self._system_roots,
            roots=list({**self._roots, **self._folder_roots}),
            chain=self._chain,
            key=self._key,
            granted=self._granted,
            alpn=self._alpn,
        )
        return self._host

    def _check_role(self, server_side):
        if server_side and self._protocol == PROTOCOL_TLS_CLIENT:
            raise plain(
                None, None, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"
            )
        if not server_side and self._protocol == PROTOCOL_TLS_SERVER:
            raise plain(
                None, None, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context"
            )

    def _wrap_socket(self, sock, server_side, server_hostname=None, *, owner=None, session=None):
        self._check_role(server_side)
        return _SSLSocket(self, _Wire(sock), server_side, server_hostname, owner, session)

    def _wrap_bio(
        self, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None
    ):
        self._check_role(server_side)
        carrier = _Memory(incoming, outgoing)
        return _SSLSocket(self, carrier, server_side, server_hostname, owner, session)
