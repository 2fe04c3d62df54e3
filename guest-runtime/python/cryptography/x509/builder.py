"""Certificates and requests for them, as they are made."""

import os

from _cordon_der import integer, oid, value
from cryptography.hazmat.primitives._serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.utils import unsupported
from cryptography.x509 import _signing
from cryptography.x509.certificate import (
    _EXTENSION_REQUEST, Certificate, CertificateSigningRequest,
)
from cryptography.x509.extensions import Extension, Extensions, ExtensionType
from cryptography.x509.name import Name

_PUBLIC_KEYS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey,
                x25519.X25519PublicKey)


def random_serial_number():
    """A number of 159 bits."""
    return int.from_bytes(os.urandom(20), "big") >> 1


def _spki(public_key):
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class _Builder:
    """Fields that are set once each; every setting gives a builder of its own."""

    def __init__(self, subject_name=None, extensions=(), **fields):
        self._fields = {"subject_name": subject_name, **fields}
        self._extensions = list(extensions)

    def _with(self, what, **fields):
        for name in fields:
            if self._fields.get(name) is not None:
                raise ValueError("The %s may only be set once." % what)
        return type(self)(extensions=self._extensions, **{**self._fields, **fields})

    def subject_name(self, name):
        if not isinstance(name, Name):
            raise TypeError("Expecting x509.Name object.")
        return self._with("subject name", subject_name=name)

    def add_extension(self, extval, critical):
        if not isinstance(extval, ExtensionType):
            raise TypeError("extension must be an ExtensionType")
        if any(extension.oid == extval.oid for extension in self._extensions):
            raise ValueError("This extension has already been set.")
        added = Extension(extval.oid, critical, extval)
        return type(self)(extensions=self._extensions + [added], **self._fields)


class CertificateSigningRequestBuilder(_Builder):
    def add_attribute(self, oid, value, *, _tag=None):
        raise unsupported("an attribute of a request other than its extensions")

    def sign(self, private_key, algorithm, backend=None, *, rsa_padding=None,
             ecdsa_deterministic=None):
        subject = self._fields["subject_name"]
        if subject is None:
            raise ValueError("A CertificateSigningRequest must have a subject")
        attributes = b""
        if self._extensions:
            attributes = value(0x30, oid(_EXTENSION_REQUEST),
                               value(0x31, Extensions(self._extensions)._encoded()))

        def content(identifier):
            return value(0x30, integer(0), subject.public_bytes(),
                         _spki(private_key.public_key()), value(0xA0, attributes))

        return CertificateSigningRequest(
            _signing.signed(content, private_key, algorithm, rsa_padding))


class CertificateBuilder(_Builder):
    def issuer_name(self, name):
        if not isinstance(name, Name):
            raise TypeError("Expecting x509.Name object.")
        return self._with("issuer name", issuer_name=name)

    def public_key(self, key):
        if not isinstance(key, _PUBLIC_KEYS):
            raise TypeError("Expecting one of RSAPublicKey, EllipticCurvePublicKey,"
                            " Ed25519PublicKey or X25519PublicKey.")
        return self._with("public key", public_key=key)

    def serial_number(self, number):
        if not isinstance(number, int):
            raise TypeError("Serial number must be of integral type.")
        if number <= 0:
            raise ValueError("The serial number should be positive.")
        if number.bit_length() >= 160:
            raise ValueError("The serial number should not be more than 159 bits.")
        return self._with("serial number", serial_number=number)

    def not_valid_before(self, time):
        return self._dated("not valid before", not_valid_before=_signing.without_zone(time))

    def not_valid_after(self, time):
        return self._dated("not valid after", not_valid_after=_signing.without_zone(time))

    def _dated(self, what, **field):
        built = self._with(what, **field)
        before = built._fields.get("not_valid_before")
        after = built._fields.get("not_valid_after")
        if before is not None and after is not None and before > after:
            raise ValueError("The not valid before date must be before the not valid after date.")
        return built

    def sign(self, private_key, algorithm, backend=None, *, rsa_padding=None,
             ecdsa_deterministic=None):
        for field, what in (
            ("subject_name", "a subject name"), ("issuer_name", "an issuer name"),
            ("serial_number", "a serial number"), ("not_valid_before", "a not valid before time"),
            ("not_valid_after", "a not valid after time"), ("public_key", "a public key"),
        ):
            if self._fields.get(field) is None:
                raise ValueError("A certificate must have %s" % what)
        fields = self._fields
        extensions = b""
        if self._extensions:
            extensions = value(0xA3, Extensions(self._extensions)._encoded())
        validity = value(0x30, _signing.moment(fields["not_valid_before"]),
                         _signing.moment(fields["not_valid_after"]))

        def content(identifier):
            return value(
                0x30, value(0xA0, integer(2)), integer(fields["serial_number"]), identifier,
                fields["issuer_name"].public_bytes(), validity,
                fields["subject_name"].public_bytes(), _spki(fields["public_key"]), extensions)

        return Certificate(_signing.signed(content, private_key, algorithm, rsa_padding))
