"""Distinguished names (RFC 5280, 4.1.2.4)."""

import enum

from _cordon_der import Damaged, Reader, oid_text, value
from cryptography.hazmat._oid import NameOID, ObjectIdentifier


class _ASN1Type(enum.Enum):
    BitString = 3
    OctetString = 4
    UTF8String = 12
    NumericString = 18
    PrintableString = 19
    T61String = 20
    IA5String = 22
    UTCTime = 23
    GeneralizedTime = 24
    VisibleString = 26
    UniversalString = 28
    BMPString = 30


_CODECS = {
    _ASN1Type.BMPString: "utf-16-be", _ASN1Type.UniversalString: "utf-32-be",
    _ASN1Type.UTF8String: "utf-8", _ASN1Type.IA5String: "ascii", _ASN1Type.T61String: "latin-1",
    _ASN1Type.PrintableString: "ascii", _ASN1Type.NumericString: "ascii",
    _ASN1Type.VisibleString: "ascii",
}

_TYPES = {
    NameOID.COUNTRY_NAME: _ASN1Type.PrintableString,
    NameOID.SERIAL_NUMBER: _ASN1Type.PrintableString,
    NameOID.DN_QUALIFIER: _ASN1Type.PrintableString,
    NameOID.EMAIL_ADDRESS: _ASN1Type.IA5String,
    NameOID.DOMAIN_COMPONENT: _ASN1Type.IA5String,
}

# Letters of the shortest and the longest value (RFC 5280, appendix A.1).
_LENGTHS = {NameOID.COUNTRY_NAME: (2, 2), NameOID.COMMON_NAME: (1, 64)}

_SHORT = {
    NameOID.COMMON_NAME: "CN", NameOID.LOCALITY_NAME: "L", NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.COUNTRY_NAME: "C", NameOID.STREET_ADDRESS: "STREET", NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.USER_ID: "UID",
}


def _escaped(text):
    """A value as RFC 4514, 2.4, wants it."""
    for letter in '\\"+,;<>':
        text = text.replace(letter, "\\" + letter)
    text = text.replace("\0", "\\00")
    if text[:1] in ("#", " "):
        text = "\\" + text
    if text[-1:] == " " and text != "\\ ":
        text = text[:-1] + "\\ "
    return text


class NameAttribute:
    """One attribute of a name."""

    def __init__(self, oid, value, _type=None, *, _validate=True):
        if not isinstance(oid, ObjectIdentifier):
            raise TypeError("oid argument must be an ObjectIdentifier instance.")
        if oid == NameOID.X500_UNIQUE_IDENTIFIER or _type is _ASN1Type.BitString:
            if not isinstance(value, bytes):
                raise TypeError("value must be bytes for a BitString")
            _type = _ASN1Type.BitString
        elif not isinstance(value, str):
            raise TypeError("value argument must be a str")
        if _validate and oid in _LENGTHS:
            least, most = _LENGTHS[oid]
            if not least <= len(value) <= most:
                raise ValueError("Attribute's length must be >= %d and <= %d, but it was %d"
                                 % (least, most, len(value)))
        self._oid, self._value = oid, value
        self._type = _type or _TYPES.get(oid, _ASN1Type.UTF8String)

    oid = property(lambda self: self._oid)
    value = property(lambda self: self._value)
    rfc4514_attribute_name = property(
        lambda self: _SHORT.get(self._oid, self._oid.dotted_string))

    def rfc4514_string(self, attr_name_overrides=None):
        name = (attr_name_overrides or {}).get(self._oid, self.rfc4514_attribute_name)
        if self._type is _ASN1Type.BitString:
            return "%s=#%s" % (name, value(self._type.value, b"\0" + self._value).hex())
        return "%s=%s" % (name, _escaped(self._value))

    def _encoded(self):
        if self._type is _ASN1Type.BitString:
            content = b"\0" + self._value
        else:
            content = self._value.encode(_CODECS[self._type])
        return value(0x30, self._oid._encoded(), value(self._type.value, content))

    @classmethod
    def _read(cls, reader):
        oid = ObjectIdentifier(oid_text(reader.take(0x06)))
        tag, content = reader.next()
        try:
            kind = _ASN1Type(tag)
            text = content[1:] if kind is _ASN1Type.BitString else content.decode(_CODECS[kind])
        except (ValueError, KeyError):
            raise Damaged("a name has an attribute that is no text") from None
        return cls(oid, text, kind, _validate=False)

    def __eq__(self, other):
        if not isinstance(other, NameAttribute):
            return NotImplemented
        return (self._oid, self._value) == (other._oid, other._value)

    def __hash__(self):
        return hash((self._oid, self._value))

    def __repr__(self):
        return "<NameAttribute(oid=%r, value=%r)>" % (self._oid, self._value)


class RelativeDistinguishedName:
    """Attributes that stand side by side."""

    def __init__(self, attributes):
        self._attributes = list(attributes)
        if not self._attributes:
            raise ValueError("a relative distinguished name cannot be empty")
        if not all(isinstance(part, NameAttribute) for part in self._attributes):
            raise TypeError("attributes must be an iterable of NameAttribute")
        if len(set(self._attributes)) != len(self._attributes):
            raise ValueError("duplicate attributes are not allowed")

    def get_attributes_for_oid(self, oid):
        return [part for part in self if part.oid == oid]

    def rfc4514_string(self, attr_name_overrides=None):
        return "+".join(part.rfc4514_string(attr_name_overrides) for part in self)

    def _encoded(self):
        return value(0x31, *sorted(part._encoded() for part in self))

    def __iter__(self):
        return iter(self._attributes)

    def __len__(self):
        return len(self._attributes)

    def __eq__(self, other):
        if not isinstance(other, RelativeDistinguishedName):
            return NotImplemented
        return set(self) == set(other)

    def __hash__(self):
        return hash(frozenset(self._attributes))

    def __repr__(self):
        return "<RelativeDistinguishedName(%s)>" % self.rfc4514_string()


class Name:
    """A distinguished name."""

    def __init__(self, attributes):
        parts = list(attributes)
        if all(isinstance(part, NameAttribute) for part in parts):
            parts = [RelativeDistinguishedName([part]) for part in parts]
        elif not all(isinstance(part, RelativeDistinguishedName) for part in parts):
            raise TypeError("attributes must be a list of NameAttribute or a list"
                            " RelativeDistinguishedName")
        self._parts = parts

    rdns = property(lambda self: list(self._parts))

    def get_attributes_for_oid(self, oid):
        return [part for part in self if part.oid == oid]

    def rfc4514_string(self, attr_name_overrides=None):
        return ",".join(
            part.rfc4514_string(attr_name_overrides) for part in reversed(self._parts))

    def public_bytes(self, backend=None):
        return value(0x30, *(part._encoded() for part in self._parts))

    @classmethod
    def _read(cls, reader):
        """The name in the content of a ``SEQUENCE``."""
        parts = []
        for part in reader:
            attributes = []
            for attribute in part:
                attributes.append(NameAttribute._read(attribute))
            try:
                parts.append(RelativeDistinguishedName(attributes))
            except ValueError as wrong:
                raise Damaged(str(wrong)) from None
        return cls(parts)

    def __iter__(self):
        for part in self._parts:
            yield from part

    def __len__(self):
        return sum(map(len, self._parts))

    def __eq__(self, other):
        if not isinstance(other, Name):
            return NotImplemented
        return self._parts == other._parts

    def __hash__(self):
        return hash(tuple(self._parts))

    def __repr__(self):
        return "<Name(%s)>" % self.rfc4514_string()
