"""Certificates and requests for them, as they are read (RFC 5280 and 2986)."""

import datetime
import enum

import _cordon_keys
from _cordon_der import Damaged, Reader, number_of, oid_text
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat._oid import ObjectIdentifier
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives._forms import written
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.utils import check_byteslike
from cryptography.x509 import _signing
from cryptography.x509.extensions import Extensions
from cryptography.x509.name import Name

# Octets of the longest certificate that is read.
_LONGEST = 1 << 17

_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"


class InvalidVersion(Exception):
    def __init__(self, msg, parsed_version):
        super().__init__(msg)
        self.parsed_version = parsed_version


class Version(enum.Enum):
    v1 = 0
    v3 = 2


class _Signed:
    """What certificates and requests have in common."""

    def __init__(self, der):
        whole = Reader(der)
        outer = whole.enter(0x30)
        content = outer.take(0x30)
        self._content = outer.content[:outer.position]
        self._der = whole.content[:whole.position]
        self._signature_oid, self._signature = _signing.read_signed(outer)
        if whole.more() or outer.more():
            raise Damaged("there is something after its end")
        self._read(Reader(content))

    signature = property(lambda self: self._signature)
    signature_algorithm_oid = property(lambda self: self._signature_oid)
    signature_hash_algorithm = property(lambda self: _signing.hash_of(self._signature_oid))
    subject = property(lambda self: self._subject)
    extensions = property(lambda self: self._extensions)

    def public_key(self):
        return load_der_public_key(self._key)

    @property
    def public_key_algorithm_oid(self):
        body = Reader(self._key).enter(0x30)
        return ObjectIdentifier(oid_text(body.enter(0x30).take(0x06)))

    def _read_key(self, body):
        start = body.position
        body.take(0x30)
        self._key = body.content[start:body.position]

    def public_bytes(self, encoding):
        return written(self._der, encoding, self._label)

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self._der == other._der

    def __hash__(self):
        return hash(self._der)

    def __repr__(self):
        return "<%s(subject=%r)>" % (type(self).__name__, self._subject)


class Certificate(_Signed):
    """A certificate. Functions and builders make it, not the class."""

    _label = "CERTIFICATE"

    def _read(self, body):
        version = 0
        if body.tag() == 0xA0:
            version = number_of(body.enter(0xA0).take(0x02))
        if version not in (0, 2):
            raise InvalidVersion("%d is not a valid X509 version" % version, version)
        self._version = Version(version)
        self._serial = number_of(body.take(0x02))
        body.take(0x30)
        self._issuer = Name._read(body.enter(0x30))
        dates = body.enter(0x30)
        self._before, self._after = _signing.read_moment(dates), _signing.read_moment(dates)
        self._subject = Name._read(body.enter(0x30))
        self._read_key(body)
        self._extensions = Extensions([])
        while body.more():
            tag, content = body.next()
            if tag == 0xA3:
                self._extensions = Extensions._read(Reader(content).enter(0x30))

    version = property(lambda self: self._version)
    serial_number = property(lambda self: self._serial)
    issuer = property(lambda self: self._issuer)
    tbs_certificate_bytes = property(lambda self: self._content)
    not_valid_before = property(lambda self: self._before)
    not_valid_after = property(lambda self: self._after)
    not_valid_before_utc = property(
        lambda self: self._before.replace(tzinfo=datetime.timezone.utc))
    not_valid_after_utc = property(lambda self: self._after.replace(tzinfo=datetime.timezone.utc))

    def fingerprint(self, algorithm):
        work = hashes.Hash(algorithm)
        work.update(self._der)
        return work.finalize()

    def verify_directly_issued_by(self, issuer):
        """Raises unless the certificate names this issuer and has the signature of its key.

        Whether the issuer may sign others, and whether it is the time for it, is not asked.
        """
        if not isinstance(issuer, Certificate):
            raise TypeError("issuer must be a Certificate")
        if self._issuer != issuer.subject:
            raise ValueError("Issuer certificate subject does not match certificate issuer")
        _signing.verify(issuer.public_key(), self._signature, self._content, self._signature_oid)


class CertificateSigningRequest(_Signed):
    """A request for a certificate. Functions and builders make it, not the class."""

    _label = "CERTIFICATE REQUEST"

    def _read(self, body):
        version = number_of(body.take(0x02))
        if version != 0:
            raise InvalidVersion("%d is not a valid CSR version" % version, version)
        self._subject = Name._read(body.enter(0x30))
        self._read_key(body)
        self._extensions = Extensions([])
        for attribute in body.enter(0xA0) if body.more() else ():
            if oid_text(attribute.take(0x06)) == _EXTENSION_REQUEST:
                self._extensions = Extensions._read(attribute.enter(0x31).enter(0x30))

    tbs_certrequest_bytes = property(lambda self: self._content)

    @property
    def is_signature_valid(self):
        try:
            _signing.verify(
                self.public_key(), self._signature, self._content, self._signature_oid)
        except InvalidSignature:
            return False
        return True


def _read(kind, der, what):
    if len(der) > _LONGEST:
        raise ValueError("a %s has %d bytes at most" % (what, _LONGEST))
    try:
        return kind(bytes(der))
    except Damaged as damage:
        raise ValueError("error parsing asn1 value: the %s is damaged: %s"
                         % (what, damage)) from None


def load_der_x509_certificate(data, backend=None):
    check_byteslike("data", data)
    return _read(Certificate, data, "certificate")


def load_der_x509_csr(data, backend=None):
    check_byteslike("data", data)
    return _read(CertificateSigningRequest, data, "request")


def _sections(data, labels):
    check_byteslike("data", data)
    try:
        for label, der in _cordon_keys.sections(data):
            if label in labels and der is not None:
                yield der
    except Damaged as damage:
        raise ValueError("Unable to load PEM file: %s" % damage) from None


def load_pem_x509_certificates(data):
    found = [load_der_x509_certificate(der)
             for der in _sections(data, ("CERTIFICATE", "X509 CERTIFICATE"))]
    if not found:
        raise ValueError("Unable to load PEM file: there is no certificate in it.")
    return found


def load_pem_x509_certificate(data, backend=None):
    for der in _sections(data, ("CERTIFICATE", "X509 CERTIFICATE")):
        return load_der_x509_certificate(der)
    raise ValueError("Unable to load PEM file: there is no certificate in it.")


def load_pem_x509_csr(data, backend=None):
    for der in _sections(data, ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")):
        return load_der_x509_csr(der)
    raise ValueError("Unable to load PEM file: there is no request in it.")
