"""Extensions of certificates (RFC 5280, 4.2)."""

import hashlib

from _cordon_der import Damaged, Reader, integer, number_of, oid_text, value
from cryptography.hazmat._oid import ExtensionOID, ObjectIdentifier
from cryptography.hazmat.primitives._serialization import Encoding, PublicFormat
from cryptography.x509.general_name import GeneralName, OtherName, read_names


class DuplicateExtension(Exception):
    def __init__(self, msg, oid):
        super().__init__(msg)
        self.oid = oid


class ExtensionNotFound(Exception):
    def __init__(self, msg, oid):
        super().__init__(msg)
        self.oid = oid


class ExtensionType:
    """What the kinds of extensions have in common."""

    oid = None

    def _all(self):
        return tuple(vars(self).values())

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self._all() == other._all()

    def __hash__(self):
        return hash((type(self), self._all()))

    def __repr__(self):
        fields = ", ".join("%s=%r" % (name.lstrip("_"), field)
                           for name, field in vars(self).items())
        return "<%s(%s)>" % (type(self).__name__, fields)


class BasicConstraints(ExtensionType):
    oid = ExtensionOID.BASIC_CONSTRAINTS

    def __init__(self, ca, path_length):
        if not isinstance(ca, bool):
            raise TypeError("ca must be a boolean value")
        if path_length is not None and not ca:
            raise ValueError("path_length must be None when ca is False")
        if path_length is not None and (not isinstance(path_length, int) or path_length < 0):
            raise TypeError("path_length must be a non-negative integer or None")
        self._ca, self._path_length = ca, path_length

    ca = property(lambda self: self._ca)
    path_length = property(lambda self: self._path_length)

    def public_bytes(self):
        return value(0x30, b"\1\1\xff" if self._ca else b"",
                     b"" if self._path_length is None else integer(self._path_length))

    @classmethod
    def _read(cls, reader):
        body = reader.enter(0x30)
        ca = body.more() and body.tag() == 0x01 and body.take(0x01) != b"\0"
        return cls(ca, number_of(body.take(0x02)) if body.more() else None)


class KeyUsage(ExtensionType):
    oid = ExtensionOID.KEY_USAGE

    # In the order of their bits.
    _NAMES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
              "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")

    def __init__(self, digital_signature, content_commitment, key_encipherment, data_encipherment,
                 key_agreement, key_cert_sign, crl_sign, encipher_only, decipher_only):
        if not key_agreement and (encipher_only or decipher_only):
            raise ValueError("encipher_only and decipher_only can only be true when key_agreement"
                             " is true")
        self._bits = tuple(map(bool, (
            digital_signature, content_commitment, key_encipherment, data_encipherment,
            key_agreement, key_cert_sign, crl_sign, encipher_only, decipher_only)))

    digital_signature = property(lambda self: self._bits[0])
    content_commitment = property(lambda self: self._bits[1])
    key_encipherment = property(lambda self: self._bits[2])
    data_encipherment = property(lambda self: self._bits[3])
    key_agreement = property(lambda self: self._bits[4])
    key_cert_sign = property(lambda self: self._bits[5])
    crl_sign = property(lambda self: self._bits[6])

    def _only(self, place, name):
        if not self.key_agreement:
            raise ValueError("%s is undefined unless key_agreement is true" % name)
        return self._bits[place]

    encipher_only = property(lambda self: self._only(7, "encipher_only"))
    decipher_only = property(lambda self: self._only(8, "decipher_only"))

    def public_bytes(self):
        number = sum(1 << 15 - place for place, bit in enumerate(self._bits) if bit)
        octets = number.to_bytes(2, "big").rstrip(b"\0")
        unused = (octets[-1] & -octets[-1]).bit_length() - 1 if octets else 0
        return value(0x03, bytes((unused,)), octets)

    @classmethod
    def _read(cls, reader):
        content = reader.take(0x03)
        number = int.from_bytes(content[1:3].ljust(2, b"\0"), "big")
        bits = [bool(number & 1 << 15 - place) for place in range(9)]
        if not bits[4]:
            bits[7:] = [False, False]
        return cls(*bits)

    def __repr__(self):
        return "<KeyUsage(%s)>" % ", ".join(
            "%s=%r" % pair for pair in zip(self._NAMES, self._bits))


class ExtendedKeyUsage(ExtensionType):
    oid = ExtensionOID.EXTENDED_KEY_USAGE

    def __init__(self, usages):
        self._usages = tuple(usages)
        if not all(isinstance(usage, ObjectIdentifier) for usage in self._usages):
            raise TypeError("Every item in the usages list must be an ObjectIdentifier")

    def __iter__(self):
        return iter(self._usages)

    def __len__(self):
        return len(self._usages)

    def __getitem__(self, index):
        return self._usages[index]

    def public_bytes(self):
        return value(0x30, *(usage._encoded() for usage in self._usages))

    @classmethod
    def _read(cls, reader):
        body, usages = reader.enter(0x30), []
        while body.more():
            usages.append(ObjectIdentifier(oid_text(body.take(0x06))))
        return cls(usages)


class GeneralNames:
    """A list of names."""

    def __init__(self, general_names):
        self._names = tuple(general_names)
        if not all(isinstance(name, GeneralName) for name in self._names):
            raise TypeError("Every item in the general_names list must be an object conforming to"
                            " the GeneralName interface")

    def get_values_for_type(self, type):
        names = (name for name in self._names if isinstance(name, type))
        return [name if isinstance(name, OtherName) else name.value for name in names]

    def __iter__(self):
        return iter(self._names)

    def __len__(self):
        return len(self._names)

    def __getitem__(self, index):
        return self._names[index]

    def __eq__(self, other):
        if not isinstance(other, GeneralNames):
            return NotImplemented
        return self._names == other._names

    def __hash__(self):
        return hash(self._names)

    def __repr__(self):
        return "<%s(%r)>" % (type(self).__name__, list(self._names))


class SubjectAlternativeName(GeneralNames, ExtensionType):
    oid = ExtensionOID.SUBJECT_ALTERNATIVE_NAME

    def public_bytes(self):
        return value(0x30, *(name._encoded() for name in self._names))

    @classmethod
    def _read(cls, reader):
        return cls(read_names(reader.enter(0x30)))


class IssuerAlternativeName(SubjectAlternativeName):
    oid = ExtensionOID.ISSUER_ALTERNATIVE_NAME


def _key_digest(public_key):
    """SHA-1 over the key without its algorithm (RFC 5280, 4.2.1.2)."""
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = Reader(der).enter(0x30)
    body.take(0x30)
    return hashlib.sha1(body.take(0x03)[1:]).digest()


class SubjectKeyIdentifier(ExtensionType):
    oid = ExtensionOID.SUBJECT_KEY_IDENTIFIER

    def __init__(self, digest):
        self._digest = digest

    @classmethod
    def from_public_key(cls, public_key):
        return cls(_key_digest(public_key))

    digest = property(lambda self: self._digest)
    key_identifier = property(lambda self: self._digest)

    def public_bytes(self):
        return value(0x04, self._digest)

    @classmethod
    def _read(cls, reader):
        return cls(reader.take(0x04))


class AuthorityKeyIdentifier(ExtensionType):
    oid = ExtensionOID.AUTHORITY_KEY_IDENTIFIER

    def __init__(self, key_identifier, authority_cert_issuer, authority_cert_serial_number):
        if (authority_cert_issuer is None) is not (authority_cert_serial_number is None):
            raise ValueError("authority_cert_issuer and authority_cert_serial_number must both be"
                             " present or both None")
        if authority_cert_issuer is not None:
            authority_cert_issuer = tuple(authority_cert_issuer)
        self._key_identifier = key_identifier
        self._issuer, self._serial = authority_cert_issuer, authority_cert_serial_number

    @classmethod
    def from_issuer_public_key(cls, public_key):
        return cls(_key_digest(public_key), None, None)

    @classmethod
    def from_issuer_subject_key_identifier(cls, ski):
        return cls(ski.digest, None, None)

    key_identifier = property(lambda self: self._key_identifier)
    authority_cert_issuer = property(lambda self: self._issuer and list(self._issuer))
    authority_cert_serial_number = property(lambda self: self._serial)

    def public_bytes(self):
        parts = []
        if self._key_identifier is not None:
            parts.append(value(0x80, self._key_identifier))
        if self._issuer is not None:
            parts.append(value(0xA1, *(name._encoded() for name in self._issuer)))
            parts.append(value(0x82, Reader(integer(self._serial)).take(0x02)))
        return value(0x30, *parts)

    @classmethod
    def _read(cls, reader):
        found = {}
        body = reader.enter(0x30)
        while body.more():
            tag, content = body.next()
            found[tag] = content
        issuer = read_names(Reader(found[0xA1])) if 0xA1 in found else None
        serial = number_of(found[0x82]) if 0x82 in found else None
        return cls(found.get(0x80), issuer, serial)


class UnrecognizedExtension(ExtensionType):
    """An extension of a kind that is not here, as it is written."""

    def __init__(self, oid, value):
        if not isinstance(oid, ObjectIdentifier):
            raise TypeError("oid must be an ObjectIdentifier")
        self._oid, self._value = oid, value

    oid = property(lambda self: self._oid)
    value = property(lambda self: self._value)

    def public_bytes(self):
        return self._value


_KINDS = {kind.oid: kind for kind in (
    BasicConstraints, KeyUsage, ExtendedKeyUsage, SubjectAlternativeName, IssuerAlternativeName,
    SubjectKeyIdentifier, AuthorityKeyIdentifier)}


class Extension:
    """An extension and whether everybody has to understand it."""

    def __init__(self, oid, critical, value):
        if not isinstance(oid, ObjectIdentifier):
            raise TypeError("oid argument must be an ObjectIdentifier instance.")
        if not isinstance(critical, bool):
            raise TypeError("critical must be a boolean value")
        self._oid, self._critical, self._value = oid, critical, value

    oid = property(lambda self: self._oid)
    critical = property(lambda self: self._critical)
    value = property(lambda self: self._value)

    def _encoded(self):
        return value(0x30, self._oid._encoded(), b"\1\1\xff" if self._critical else b"",
                     value(0x04, self._value.public_bytes()))

    def _all(self):
        return self._oid, self._critical, self._value

    def __eq__(self, other):
        if not isinstance(other, Extension):
            return NotImplemented
        return self._all() == other._all()

    def __hash__(self):
        return hash(self._all())

    def __repr__(self):
        return "<Extension(oid=%r, critical=%r, value=%r)>" % self._all()


class Extensions:
    """The extensions of a certificate or request."""

    def __init__(self, extensions):
        self._extensions = list(extensions)

    def get_extension_for_oid(self, oid):
        for extension in self._extensions:
            if extension.oid == oid:
                return extension
        raise ExtensionNotFound("No %s extension was found" % oid, oid)

    def get_extension_for_class(self, extclass):
        if extclass is UnrecognizedExtension:
            raise TypeError("UnrecognizedExtension can't be used with get_extension_for_class"
                            " because more than one instance of the class may be present.")
        for extension in self._extensions:
            if isinstance(extension.value, extclass) and extension.oid == extclass.oid:
                return extension
        raise ExtensionNotFound("No %s extension was found" % extclass, extclass.oid)

    def __iter__(self):
        return iter(self._extensions)

    def __len__(self):
        return len(self._extensions)

    def __getitem__(self, index):
        return self._extensions[index]

    def __repr__(self):
        return "<Extensions(%r)>" % self._extensions

    def _encoded(self):
        return value(0x30, *(extension._encoded() for extension in self._extensions))

    @classmethod
    def _read(cls, reader):
        """The extensions in the content of a ``SEQUENCE``."""
        found, seen = [], set()
        for part in reader:
            oid = ObjectIdentifier(oid_text(part.take(0x06)))
            critical = part.tag() == 0x01 and part.take(0x01) != b"\0"
            content = part.take(0x04)
            if oid in seen:
                raise DuplicateExtension("Duplicate %s extension found" % oid, oid)
            seen.add(oid)
            try:
                kind = (_KINDS[oid]._read(Reader(content)) if oid in _KINDS
                        else UnrecognizedExtension(oid, content))
            except (Damaged, TypeError) as wrong:
                raise Damaged("extension %s: %s" % (oid.dotted_string, wrong)) from None
            found.append(Extension(oid, critical, kind))
        return cls(found)
