"""Names of peers in certificates (RFC 5280, 4.2.1.6)."""

import ipaddress

from _cordon_der import Damaged, Reader, oid_text, value
from cryptography.hazmat._oid import ObjectIdentifier
from cryptography.x509.name import Name


class UnsupportedGeneralNameType(Exception):
    """A kind of name that is not here."""


class GeneralName:
    """What the kinds of names have in common."""

    def __init__(self, value):
        self._value = value

    value = property(lambda self: self._value)

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self._value == other._value

    def __hash__(self):
        return hash((type(self), self._value))

    def __repr__(self):
        return "<%s(value=%r)>" % (type(self).__name__, self._value)


class _Text(GeneralName):
    def __init__(self, value):
        if not isinstance(value, str):
            raise TypeError("value must be string")
        if not value.isascii():
            raise ValueError("%s values should be passed as an A-label string. This means unicode"
                             " characters should be encoded via a library like idna."
                             % type(self).__name__)
        super().__init__(value)

    def _encoded(self):
        return value(self._tag, self._value.encode("ascii"))

    @classmethod
    def _read(cls, content):
        return cls(content.decode("ascii"))


class RFC822Name(_Text):
    _tag = 0x81


class DNSName(_Text):
    _tag = 0x82


class UniformResourceIdentifier(_Text):
    _tag = 0x86


class DirectoryName(GeneralName):
    _tag = 0xA4

    def __init__(self, value):
        if not isinstance(value, Name):
            raise TypeError("value must be a Name")
        super().__init__(value)

    def _encoded(self):
        return value(self._tag, self._value.public_bytes())

    @classmethod
    def _read(cls, content):
        return cls(Name._read(Reader(content).enter(0x30)))


class RegisteredID(GeneralName):
    _tag = 0x88

    def __init__(self, value):
        if not isinstance(value, ObjectIdentifier):
            raise TypeError("value must be an ObjectIdentifier")
        super().__init__(value)

    def _encoded(self):
        return value(self._tag, Reader(self._value._encoded()).take(0x06))

    @classmethod
    def _read(cls, content):
        return cls(ObjectIdentifier(oid_text(content)))


class IPAddress(GeneralName):
    _tag = 0x87

    def __init__(self, value):
        if not isinstance(value, (ipaddress.IPv4Address, ipaddress.IPv6Address,
                                  ipaddress.IPv4Network, ipaddress.IPv6Network)):
            raise TypeError("value must be an instance of ipaddress.IPv4Address,"
                            " ipaddress.IPv6Address, ipaddress.IPv4Network, or"
                            " ipaddress.IPv6Network")
        super().__init__(value)

    def _encoded(self):
        if isinstance(self._value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
            return value(self._tag, self._value.packed)
        network = self._value
        return value(self._tag, network.network_address.packed + network.netmask.packed)

    @classmethod
    def _read(cls, content):
        if len(content) in (4, 16):
            return cls(ipaddress.ip_address(content))
        half = len(content) // 2
        mask = int.from_bytes(content[half:], "big")
        prefix = mask.bit_count()
        if len(content) not in (8, 32) or mask != (1 << prefix) - 1 << 8 * half - prefix:
            raise Damaged("an address in a certificate is none")
        return cls(ipaddress.ip_network((content[:half], prefix), strict=False))


class OtherName(GeneralName):
    _tag = 0xA0

    def __init__(self, type_id, value):
        if not isinstance(type_id, ObjectIdentifier):
            raise TypeError("type_id must be an ObjectIdentifier")
        if not isinstance(value, bytes):
            raise TypeError("value must be a binary string")
        super().__init__(value)
        self._type_id = type_id

    type_id = property(lambda self: self._type_id)

    def _encoded(self):
        return value(self._tag, self._type_id._encoded(), value(0xA0, self._value))

    @classmethod
    def _read(cls, content):
        reader = Reader(content)
        kind = ObjectIdentifier(oid_text(reader.take(0x06)))
        return cls(kind, reader.take(0xA0))

    def __eq__(self, other):
        if not isinstance(other, OtherName):
            return NotImplemented
        return (self._type_id, self._value) == (other._type_id, other._value)

    def __hash__(self):
        return hash((self._type_id, self._value))


_KINDS = {kind._tag: kind for kind in (
    RFC822Name, DNSName, UniformResourceIdentifier, DirectoryName, RegisteredID, IPAddress,
    OtherName)}


def read_names(reader):
    """The names up to the end of a reader."""
    names = []
    while reader.more():
        tag, content = reader.next()
        if tag not in _KINDS:
            raise UnsupportedGeneralNameType("a name with tag %#x is not supported" % tag)
        try:
            names.append(_KINDS[tag]._read(content))
        except (UnicodeDecodeError, ValueError) as wrong:
            raise Damaged("a name in a certificate is damaged: %s" % wrong) from None
    return names
