"""Signatures of certificates and requests, and moments in them."""

import datetime

from _cordon_der import Damaged, oid_text, value
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat._oid import ObjectIdentifier, SignatureAlgorithmOID
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.utils import unsupported

_RSA = {
    "md5": SignatureAlgorithmOID.RSA_WITH_MD5, "sha1": SignatureAlgorithmOID.RSA_WITH_SHA1,
    "sha224": SignatureAlgorithmOID.RSA_WITH_SHA224,
    "sha256": SignatureAlgorithmOID.RSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.RSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.RSA_WITH_SHA512,
}

_ECDSA = {
    "sha1": SignatureAlgorithmOID.ECDSA_WITH_SHA1,
    "sha224": SignatureAlgorithmOID.ECDSA_WITH_SHA224,
    "sha256": SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}

_HASHES = {kind.name: kind for kind in (
    hashes.MD5, hashes.SHA1, hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512)}

_HASH_OF_OID = {oid: name for table in (_RSA, _ECDSA) for name, oid in table.items()}

# The year from which on a moment has four digits for it (RFC 5280, 4.1.2.5).
_LONG_FROM = 2050


def signed(content, private_key, algorithm, rsa_padding=None):
    """The DER of content, algorithm and signature; ``content`` makes its DER of the algorithm."""
    if isinstance(private_key, ed25519.Ed25519PrivateKey):
        if algorithm is not None:
            raise ValueError("Algorithm must be None when signing via ed25519 or ed448")
        identifier = value(0x30, SignatureAlgorithmOID.ED25519._encoded())
        sign = private_key.sign
    elif isinstance(private_key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        if not isinstance(algorithm, hashes.HashAlgorithm):
            raise TypeError("Algorithm must be a registered hash algorithm.")
        table, parameters = _ECDSA, b""
        if isinstance(private_key, rsa.RSAPrivateKey):
            table, parameters = _RSA, b"\x05\0"
            if rsa_padding is not None and not isinstance(rsa_padding, padding.PKCS1v15):
                raise unsupported("a certificate signed with PSS")
            sign = lambda data: private_key.sign(data, padding.PKCS1v15(), algorithm)
        else:
            sign = lambda data: private_key.sign(data, ec.ECDSA(algorithm))
        if algorithm.name not in table or algorithm.name == "md5":
            raise unsupported("a signature over %s in a certificate" % algorithm.name)
        identifier = value(0x30, table[algorithm.name]._encoded(), parameters)
    else:
        raise TypeError("Key must be an rsa, ec or ed25519 private key.")
    der = content(identifier)
    return value(0x30, der, identifier, value(0x03, b"\0" + sign(der)))


def hash_of(oid):
    """The hash under a signature; ``None`` for a kind that has its own."""
    if oid == SignatureAlgorithmOID.ED25519:
        return None
    if oid not in _HASH_OF_OID:
        raise unsupported("a signature of type %s" % oid.dotted_string)
    return _HASHES[_HASH_OF_OID[oid]]()


def verify(public_key, signature, content, oid):
    """Raises ``InvalidSignature`` where the signature is not this key's."""
    algorithm = hash_of(oid)
    if isinstance(public_key, rsa.RSAPublicKey) and oid in _RSA.values():
        public_key.verify(signature, content, padding.PKCS1v15(), algorithm)
    elif isinstance(public_key, ec.EllipticCurvePublicKey) and oid in _ECDSA.values():
        public_key.verify(signature, content, ec.ECDSA(algorithm))
    elif isinstance(public_key, ed25519.Ed25519PublicKey) and algorithm is None:
        public_key.verify(signature, content)
    else:
        raise InvalidSignature


def read_signed(outer):
    """Algorithm and signature, which follow the content in a reader."""
    algorithm, bits = outer.enter(0x30), outer.take(0x03)
    if bits[:1] != b"\0":
        raise Damaged("the signature is no whole number of octets")
    return ObjectIdentifier(oid_text(algorithm.take(0x06))), bits[1:]


def read_moment(reader):
    """A moment as a ``datetime`` of UTC without a zone."""
    tag, content = reader.next()
    text = content.decode("ascii", "replace")
    if tag == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != 0x18:
        raise Damaged("a moment has tag %#x" % tag)
    if len(text) != 15 or text[14] != "Z" or not text[:14].isdecimal():
        raise Damaged("a moment is not written as YYYYMMDDhhmmssZ")
    try:
        return datetime.datetime(
            *(int(text[:4] if at == 2 else text[at:at + 2]) for at in (2, 4, 6, 8, 10, 12)))
    except ValueError as wrong:
        raise Damaged("a moment is none: %s" % wrong) from None


def moment(when):
    """The DER of a moment of UTC."""
    text = "%02d%02d%02d%02d%02dZ" % (
        when.month, when.day, when.hour, when.minute, when.second)
    if when.year < _LONG_FROM:
        return value(0x17, ("%02d" % (when.year % 100) + text).encode())
    return value(0x18, ("%04d" % when.year + text).encode())


def without_zone(when):
    """The moment in UTC, to the second, without a zone."""
    if not isinstance(when, datetime.datetime):
        raise TypeError("Expecting datetime object.")
    if when.tzinfo is not None:
        when = when.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    if when.year < 1950:
        raise ValueError("The not valid date must be on or after 1950 January 1.")
    return when.replace(microsecond=0)
