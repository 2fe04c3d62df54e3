"""Module ``_ssl``: the base of CPython's ``ssl``, over the hub's TLS.

Contexts collect settings, memory BIOs and sockets carry the bytes of a session in the
hub. The cryptography, the decision about certificates, and the roots of the system are
the hub's (``_cordon_tls``), which speaks TLS 1.2 and 1.3. Numbers and texts are those
that plugins know from OpenSSL.
"""

import os

import _ssl_certificate
from _ssl_certificate import nid2obj, txt2obj  # noqa: F401 (part of the module)
from _ssl_constants import *  # noqa: F401,F403
from _ssl_constants import _DEFAULT_CIPHERS, _OPENSSL_API_VERSION  # noqa: F401
from _ssl_context import _SSLContext  # noqa: F401
from _ssl_errors import (  # noqa: F401
    SSLCertVerificationError,
    SSLEOFError,
    SSLError,
    SSLSyscallError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLZeroReturnError,
)
from _ssl_hub import certificates
from _ssl_socket import Certificate, MemoryBIO, _SSLSocket  # noqa: F401


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
        return _ssl_certificate.decoded(certificates(file.read())[0])


class SSLSession:
    """A session to be resumed. The hub resumes none, so there never is one."""

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.SSLSession' instances")
