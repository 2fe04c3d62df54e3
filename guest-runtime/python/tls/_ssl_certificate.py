"""Certificates as ``ssl`` shows them: DER in, the dictionary of ``getpeercert`` out.

Nothing is decided with these fields. The hub decides whether a certificate is good; a
plugin that reads the fields reads the peer's claims.
"""

from _cordon_der import Damaged, Reader, oid_text

# Number, short name and long name of OpenSSL by object identifier.
_OBJECTS = {
    "2.5.4.3": (13, "CN", "commonName"),
    "2.5.4.4": (100, "SN", "surname"),
    "2.5.4.5": (105, "serialNumber", "serialNumber"),
    "2.5.4.6": (14, "C", "countryName"),
    "2.5.4.7": (15, "L", "localityName"),
    "2.5.4.8": (16, "ST", "stateOrProvinceName"),
    "2.5.4.9": (660, "street", "streetAddress"),
    "2.5.4.10": (17, "O", "organizationName"),
    "2.5.4.11": (18, "OU", "organizationalUnitName"),
    "2.5.4.12": (106, "title", "title"),
    "2.5.4.15": (860, "businessCategory", "businessCategory"),
    "2.5.4.17": (661, "postalCode", "postalCode"),
    "2.5.4.42": (99, "GN", "givenName"),
    "2.5.4.46": (174, "dnQualifier", "dnQualifier"),
    "2.5.4.97": (1089, "organizationIdentifier", "organizationIdentifier"),
    "1.2.840.113549.1.9.1": (48, "emailAddress", "emailAddress"),
    "0.9.2342.19200300.100.1.1": (458, "UID", "userId"),
    "0.9.2342.19200300.100.1.25": (391, "DC", "domainComponent"),
    "1.3.6.1.5.5.7.3.1": (129, "serverAuth", "TLS Web Server Authentication"),
    "1.3.6.1.5.5.7.3.2": (130, "clientAuth", "TLS Web Client Authentication"),
    "1.3.6.1.5.5.7.3.3": (131, "codeSigning", "Code Signing"),
    "1.3.6.1.5.5.7.3.4": (132, "emailProtection", "E-mail Protection"),
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_SAN, _BASIC, _AIA, _CRL = "2.5.29.17", "2.5.29.19", "1.3.6.1.5.5.7.1.1", "2.5.29.31"
_OCSP, _ISSUERS = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"


def txt2obj(txt, name=False):
    """Number, names and identifier of an object, as OpenSSL knows them."""
    for oid, (nid, short, long) in _OBJECTS.items():
        if txt == oid or (name and txt in (short, long)):
            return nid, short, long, oid
    raise ValueError("unknown object '%.100s'" % txt)


def nid2obj(nid, /):
    if nid < 0:
        raise ValueError("NID must be positive")
    for oid, (number, short, long) in _OBJECTS.items():
        if number == nid:
            return nid, short, long, oid
    raise ValueError("unknown NID %d" % nid)


def split(data):
    """The certificates of a byte string that holds one DER after the other."""
    found, reader = [], Reader(data)
    try:
        while reader.more():
            start = reader.position
            reader.take(0x30)
            found.append(data[start : reader.position])
    except Damaged:
        from _ssl_errors import plain

        raise plain(
            "ASN1", "NOT_ENOUGH_DATA", "not enough data: %d certificates were read" % len(found)
        ) from None
    return found


def _name(reader):
    parts = []
    for part in reader:
        pairs = []
        for pair in part:
            oid, value = oid_text(pair.take(0x06)), pair.text()
            pairs.append((_OBJECTS[oid][2] if oid in _OBJECTS else oid, value))
        parts.append(tuple(pairs))
    return tuple(parts)


def _time(tag, text):
    """``Jan  5 09:34:43 2018 GMT`` of ``180105093443Z``."""
    if tag == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    month = _MONTHS[int(text[4:6]) - 1]
    return "%s %2d %s:%s:%s %s GMT" % (
        month,
        int(text[6:8]),
        text[8:10],
        text[10:12],
        text[12:14],
        text[:4],
    )


def _address(octets):
    if len(octets) == 4:
        return ".".join(map(str, octets))
    if len(octets) == 16:
        # OpenSSL's way to write it: no zeros left out between the colons.
        return ":".join("%X" % (octets[at] << 8 | octets[at + 1]) for at in range(0, 16, 2))
    return "<invalid>"


def _general_name(tag, reader):
    content = reader.content
    if tag == 0x82:
        return "DNS", content.decode("ascii", "replace")
    if tag == 0x87:
        return "IP Address", _address(content)
    if tag == 0x86:
        return "URI", content.decode("ascii", "replace")
    if tag == 0x81:
        return "email", content.decode("ascii", "replace")
    if tag == 0xA4:
        return "DirName", _name(reader.enter(0x30))
    if tag == 0x88:
        return "Registered ID", oid_text(content)
    return "othername", "<unsupported>"


def _extensions(reader):
    """Contents of the extensions by object identifier."""
    found = {}
    for extension in reader:
        oid = oid_text(extension.take(0x06))
        if extension.tag() == 0x01:
            extension.take(0x01)
        found[oid] = extension.take(0x04)
    return found


class _Fields:
    """The fields of a certificate that anybody here asks for."""

    def __init__(self, der):
        body = Reader(der).enter(0x30).enter(0x30)
        self.version = 1
        if body.tag() == 0xA0:
            self.version = int.from_bytes(body.enter(0xA0).take(0x02), "big") + 1
        self.serial = body.take(0x02)
        body.take(0x30)
        self.issuer = body.enter(0x30)
        dates = body.enter(0x30)
        self.before = dates.next()
        self.after = dates.next()
        self.subject = body.enter(0x30)
        body.take(0x30)
        self.extensions = {}
        while body.more():
            tag, content = body.next()
            if tag == 0xA3:
                self.extensions = _extensions(Reader(content).enter(0x30))

    def names(self):
        reader = Reader(self.extensions[_SAN]).enter(0x30)
        found = []
        while reader.more():
            tag, content = reader.next()
            found.append(_general_name(tag, Reader(content)))
        return tuple(found)

    def access(self, wanted):
        """Addresses of the issuer's services of one kind."""
        if _AIA not in self.extensions:
            return ()
        found = []
        for entry in Reader(self.extensions[_AIA]).enter(0x30):
            kind = oid_text(entry.take(0x06))
            tag, content = entry.next()
            if kind == wanted and tag == 0x86:
                found.append(content.decode("ascii", "replace"))
        return tuple(found)

    def lists(self):
        if _CRL not in self.extensions:
            return ()
        found = []
        for point in Reader(self.extensions[_CRL]).enter(0x30):
            if point.more() and point.tag() == 0xA0:
                names = point.enter(0xA0)
                if names.more() and names.tag() == 0xA0:
                    full = names.enter(0xA0)
                    while full.more():
                        tag, content = full.next()
                        if tag == 0x86:
                            found.append(content.decode("ascii", "replace"))
        return tuple(found)


def decoded(der):
    """The dictionary that ``getpeercert`` answers."""
    fields = _Fields(der)
    serial = fields.serial.lstrip(b"\0") or b"\0"
    shown = {
        "subject": _name(fields.subject),
        "issuer": _name(fields.issuer),
        "version": fields.version,
        "serialNumber": serial.hex().upper(),
        "notBefore": _time(fields.before[0], fields.before[1].decode("ascii")),
        "notAfter": _time(fields.after[0], fields.after[1].decode("ascii")),
    }
    if _SAN in fields.extensions:
        shown["subjectAltName"] = fields.names()
    for key, value in (
        ("OCSP", fields.access(_OCSP)),
        ("caIssuers", fields.access(_ISSUERS)),
        ("crlDistributionPoints", fields.lists()),
    ):
        if value:
            shown[key] = value
    return shown


def is_authority(der):
    """Whether a certificate says that it may sign others."""
    try:
        fields = _Fields(der)
        if _BASIC not in fields.extensions:
            return fields.version == 1
        basic = Reader(fields.extensions[_BASIC]).enter(0x30)
        return basic.more() and basic.tag() == 0x01 and basic.take(0x01) != b"\0"
    except (Damaged, IndexError, ValueError):
        return False


def is_whole(der):
    """Whether a certificate can be read to its end."""
    try:
        _Fields(der)
    except (Damaged, IndexError, ValueError):
        return False
    return True


def decrypted_key(pem, password):
    """A private key that is encrypted with a password, as DER."""
    from _ssl_errors import plain

    if callable(password):
        password = password()
    if password is None:
        raise plain(
            "SSL", "PEM_LIB", "PEM lib: the private key is encrypted and no password was given"
        )
    if isinstance(password, str):
        password = password.encode()
    from _cordon_pkcs8 import decrypted

    try:
        return decrypted(pem, bytes(password))
    except NotImplementedError as refusal:
        raise plain("SSL", "PEM_LIB", "PEM lib: %s" % refusal) from None
    except ValueError as wrong:
        raise plain("PEM", "BAD_DECRYPT", "bad decrypt: %s" % wrong) from None
