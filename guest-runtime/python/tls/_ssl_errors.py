"""The exceptions of module ``ssl``, with the texts that plugins compare.

CPython puts the line of its C file at the end of each text; here every text has one and
the same line.
"""

from _ssl_constants import (
    SSL_ERROR_EOF,
    SSL_ERROR_SSL,
    SSL_ERROR_WANT_READ,
    SSL_ERROR_WANT_WRITE,
    SSL_ERROR_ZERO_RETURN,
)

_LINE = "(_ssl.c:1000)"


class SSLError(OSError):
    """An error of the TLS implementation."""

    library = None
    reason = None

    def __str__(self):
        if isinstance(self.strerror, str):
            return self.strerror
        return str(self.args[0]) if len(self.args) == 1 else str(self.args)


class SSLZeroReturnError(SSLError):
    """The peer said that it sends no more."""


class SSLWantReadError(SSLError):
    """Bytes of the peer are needed before the call can go on."""


class SSLWantWriteError(SSLError):
    """Bytes have to reach the peer before the call can go on."""


class SSLSyscallError(SSLError):
    """The system refused something."""


class SSLEOFError(SSLError):
    """The connection ended without the goodbye of TLS."""


class SSLCertVerificationError(SSLError, ValueError):
    """The peer's certificate is not good enough."""

    verify_code = None
    verify_message = None


for _error in (
    SSLError,
    SSLZeroReturnError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLSyscallError,
    SSLEOFError,
    SSLCertVerificationError,
):
    _error.__module__ = "ssl"


def _built(kind, number, library, reason, text):
    head = "[%s: %s] " % (library, reason) if library and reason else ""
    error = kind(number, "%s%s %s" % (head, text, _LINE))
    error.library, error.reason = library, reason
    return error


def plain(library, reason, text):
    """An ``SSLError``."""
    return _built(SSLError, SSL_ERROR_SSL, library, reason, text)


def want_read():
    return SSLWantReadError(SSL_ERROR_WANT_READ, "The operation did not complete (read) " + _LINE)


def want_write():
    return SSLWantWriteError(
        SSL_ERROR_WANT_WRITE, "The operation did not complete (write) " + _LINE
    )


def eof():
    return _built(
        SSLEOFError,
        SSL_ERROR_EOF,
        "SSL",
        "UNEXPECTED_EOF_WHILE_READING",
        "EOF occurred in violation of protocol",
    )


def zero_return():
    return _built(
        SSLZeroReturnError,
        SSL_ERROR_ZERO_RETURN,
        None,
        None,
        "TLS/SSL connection has been closed (EOF)",
    )


def failed(result):
    """The error for the hub's answer when a session failed."""
    kind, what, text = result
    if kind == "verification":
        error = _built(
            SSLCertVerificationError,
            SSL_ERROR_SSL,
            "SSL",
            "CERTIFICATE_VERIFY_FAILED",
            "certificate verify failed: " + text,
        )
        error.verify_code, error.verify_message = what, text
        return error
    return plain("SSL", what, text)


def made(result):
    """The object that the hub made; raises the error of a refusal instead."""
    if not isinstance(result, tuple):
        return result
    kind, text = result
    if kind in ("too-many", "too-large"):
        # The hub's log has the figures and the line that raises the limit.
        limit = "tls-handles" if kind == "too-many" else "tls-bytes"
        raise MemoryError("the instance's limit %s is used up" % limit)
    if kind == "not-granted":
        raise PermissionError(13, text)
    if kind == "identity":
        reason = "KEY_VALUES_MISMATCH" if text == "key values mismatch" else "PEM_LIB"
        if reason == "PEM_LIB":
            raise plain("SSL", reason, "PEM lib: " + text)
        raise plain("X509", reason, text)
    if kind == "root":
        raise plain("X509", "NO_CERTIFICATE_OR_CRL_FOUND", text)
    if "is no server name" in text:
        raise ValueError(text)
    raise plain("SSL", "LIBRARY_HAS_NO_CIPHERS", text)
