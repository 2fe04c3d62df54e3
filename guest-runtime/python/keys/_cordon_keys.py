"""Keys in their written forms: PKCS#1, PKCS#8, SEC 1, SubjectPublicKeyInfo, OpenSSH, PEM.

A key is a tuple here: its kind, then its numbers or octets.

- ``("rsa", n, e)`` and ``("rsa", n, e, d, p, q, dp, dq, qi)``;
- ``("ec", bits, point)`` and ``("ec", bits, secret)``, points as SEC 1 has them;
- ``("ed25519", octets)`` and ``("x25519", octets)``.
"""

import base64
import binascii

from _cordon_der import Damaged, Reader, integer, number_of, oid, oid_text, value

RSA, EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"

RAW = {"1.3.101.110": "x25519", "1.3.101.112": "ed25519"}
_RAW_OIDS = {kind: text for text, kind in RAW.items()}

CURVES = {"1.2.840.10045.3.1.7": 256, "1.3.132.0.34": 384, "1.3.132.0.35": 521}
CURVE_OIDS = {bits: text for text, bits in CURVES.items()}

_SSH_CURVES = {"ecdsa-sha2-nistp%d" % bits: bits for bits in (256, 384, 521)}

# Octets of the longest text or DER that is taken for a key.
LONGEST = 1 << 16


class UnknownKind(ValueError):
    """A key of a kind that is not here."""


def curve_octets(bits):
    """Octets of a coordinate and of a secret."""
    return (bits + 7) // 8


def _whole(der):
    """A reader of the one value in a DER."""
    if len(der) > LONGEST:
        raise Damaged("a key has %d bytes at most" % LONGEST)
    outer = Reader(der)
    body = outer.enter(0x30)
    if outer.more():
        raise Damaged("there is something after the key")
    return body


def _curve_of(reader):
    """Bits of the curve that the parameters name."""
    if reader.tag() != 0x06:
        raise UnknownKind("an elliptic curve with parameters instead of a name")
    name = oid_text(reader.take(0x06))
    if name not in CURVES:
        raise UnknownKind("the elliptic curve %s" % name)
    return CURVES[name]


def _pkcs1_private(body):
    if number_of(body.take(0x02)) != 0:
        raise UnknownKind("an RSA key with more than two primes")
    return ("rsa",) + tuple(number_of(body.take(0x02)) for _ in range(8))


def _sec1_private(body, bits):
    body.take(0x02)
    secret = body.take(0x04)
    if body.more() and body.tag() == 0xA0:
        bits = _curve_of(body.enter(0xA0))
    if bits is None:
        raise Damaged("the key does not name its curve")
    size = curve_octets(bits)
    return "ec", bits, secret.lstrip(b"\0").rjust(size, b"\0")


def is_encrypted(der):
    """Whether a DER is a PKCS#8 key that is encrypted."""
    return Reader(der).enter(0x30).tag() == 0x30


def read_private(der):
    """The private key in a DER of PKCS#8, PKCS#1 or SEC 1.

    Raises ``Damaged`` or ``UnknownKind``.
    """
    start = _whole(der)
    version = start.take(0x02)
    if start.tag() == 0x02:
        return _pkcs1_private(Reader(der).enter(0x30))
    if start.tag() == 0x04:
        return _sec1_private(Reader(der).enter(0x30), None)
    if number_of(version) > 1:
        raise Damaged("the version of PKCS#8 is unknown")
    algorithm, content = start.enter(0x30), start.take(0x04)
    name = oid_text(algorithm.take(0x06))
    if name == RSA:
        return _pkcs1_private(Reader(content).enter(0x30))
    if name == EC:
        return _sec1_private(Reader(content).enter(0x30), _curve_of(algorithm))
    if name in RAW:
        return RAW[name], Reader(content).take(0x04)
    raise UnknownKind("a key of type %s" % name)


def read_public(der):
    """The public key in a DER of SubjectPublicKeyInfo, or of PKCS#1.

    Raises ``Damaged`` or ``UnknownKind``.
    """
    body = _whole(der)
    if body.tag() == 0x02:
        return "rsa", number_of(body.take(0x02)), number_of(body.take(0x02))
    algorithm, bits = body.enter(0x30), body.take(0x03)
    if bits[:1] != b"\0":
        raise Damaged("the key is no whole number of octets")
    name = oid_text(algorithm.take(0x06))
    if name == RSA:
        content = Reader(bits[1:]).enter(0x30)
        return "rsa", number_of(content.take(0x02)), number_of(content.take(0x02))
    if name == EC:
        return "ec", _curve_of(algorithm), bits[1:]
    if name in RAW:
        return RAW[name], bits[1:]
    raise UnknownKind("a key of type %s" % name)


def _algorithm(key):
    if key[0] == "rsa":
        return value(0x30, oid(RSA), b"\x05\0")
    if key[0] == "ec":
        return value(0x30, oid(EC), oid(CURVE_OIDS[key[1]]))
    return value(0x30, oid(_RAW_OIDS[key[0]]))


def pkcs1_public(key):
    """RSAPublicKey of PKCS#1."""
    return value(0x30, integer(key[1]), integer(key[2]))


def pkcs1_private(key):
    """RSAPrivateKey of PKCS#1."""
    return value(0x30, integer(0), *map(integer, key[1:]))


def sec1_private(key, point, named=True):
    """ECPrivateKey of SEC 1; PKCS#8 names the curve elsewhere."""
    _, bits, secret = key
    curve = value(0xA0, oid(CURVE_OIDS[bits])) if named else b""
    public = value(0xA1, value(0x03, b"\0" + point))
    return value(0x30, integer(1), value(0x04, secret), curve, public)


def pkcs8(key, point=None):
    """PrivateKeyInfo of PKCS#8; a key of a curve of NIST needs its point."""
    if key[0] == "rsa":
        content = pkcs1_private(key)
    elif key[0] == "ec":
        content = sec1_private(key, point, named=False)
    else:
        content = value(0x04, key[1])
    return value(0x30, integer(0), _algorithm(key), value(0x04, content))


def spki(key):
    """SubjectPublicKeyInfo of X.509."""
    content = pkcs1_public(key) if key[0] == "rsa" else key[-1]
    return value(0x30, _algorithm(key), value(0x03, b"\0" + content))


def pem(der, label):
    """PEM with lines of 64 letters."""
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return (
        "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, "\n".join(lines), label)
    ).encode()


def sections(data):
    """The label and the DER of each section of a PEM text, which come one at a time.

    Sections with headers, as OpenSSL's old encryption has them, have ``None`` for the DER.
    Raises ``Damaged``.
    """
    label, lines = None, []
    for line in bytes(data).splitlines():
        line = line.strip()
        if line.startswith(b"-----BEGIN ") and line.endswith(b"-----"):
            label, lines = line[11:-5].decode("latin-1"), []
        elif label is not None and line == b"-----END %s-----" % label.encode("latin-1"):
            if any(b":" in part for part in lines):
                yield label, None
            else:
                try:
                    yield label, base64.b64decode(b"".join(lines), validate=True)
                except binascii.Error as error:
                    raise Damaged("the PEM of a %s is damaged: %s" % (label, error)) from None
            label = None
        elif label is not None:
            lines.append(line)
    if label is not None:
        raise Damaged("the PEM of a %s has no end" % label)


def _ssh_string(content):
    return len(content).to_bytes(4, "big") + content


def _ssh_number(number):
    return _ssh_string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def ssh_public(key):
    """A public key as OpenSSH has it in a line (RFC 4253, 5656 and 8709), without a comment."""
    if key[0] == "rsa":
        name, content = "ssh-rsa", _ssh_number(key[2]) + _ssh_number(key[1])
    elif key[0] == "ec":
        curve = "nistp%d" % key[1]
        name = "ecdsa-sha2-" + curve
        content = _ssh_string(curve.encode()) + _ssh_string(key[2])
    elif key[0] == "ed25519":
        name, content = "ssh-ed25519", _ssh_string(key[1])
    else:
        raise UnknownKind("a key of type %s in OpenSSH's form" % key[0])
    blob = _ssh_string(name.encode()) + content
    return name.encode() + b" " + base64.b64encode(blob)


def read_ssh_public(line):
    """The public key in a line of OpenSSH's; raises ``Damaged`` or ``UnknownKind``."""
    parts = bytes(line).split(None, 2)
    if len(line) > LONGEST or len(parts) < 2:
        raise Damaged("a key of OpenSSH's is a type and a text in base64")
    try:
        rest = base64.b64decode(parts[1], validate=True)
    except binascii.Error as error:
        raise Damaged(str(error)) from None
    strings = []
    while rest:
        length = int.from_bytes(rest[:4], "big")
        if len(rest) < 4 + length:
            raise Damaged("a key of OpenSSH's is cut off")
        strings.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    name = parts[0].decode("latin-1")
    if not strings or strings[0] != parts[0]:
        raise Damaged("a key of OpenSSH's has two types")
    if name == "ssh-rsa" and len(strings) == 3:
        return "rsa", number_of(strings[2]), number_of(strings[1])
    if name == "ssh-ed25519" and len(strings) == 2:
        return "ed25519", strings[1]
    if name in _SSH_CURVES and len(strings) == 3:
        return "ec", _SSH_CURVES[name], strings[2]
    raise UnknownKind("a key of type %s in OpenSSH's form" % name)
