"""Reading and writing keys."""

import _cordon_tls
from _cordon_der import Damaged, Reader, oid_text
from cryptography.hazmat.primitives._serialization import (  # noqa: F401
    BestAvailableEncryption, Encoding, KeySerializationEncryption, NoEncryption,
    ParameterFormat, PrivateFormat, PublicFormat,
)
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.utils import unsupported

_CURVES = {
    "1.3.101.110": (x25519.X25519PrivateKey, x25519.X25519PublicKey),
    "1.3.101.112": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
}

_NAMES = {"1.2.840.113549.1.1.1": "RSA", "1.2.840.10045.2.1": "elliptic curves of NIST"}

_UNREADABLE = "Could not deserialize key data."


def _curve(algorithm):
    name = oid_text(algorithm.take(0x06))
    if name not in _CURVES:
        raise unsupported("a key of type %s" % _NAMES.get(name, name))
    return _CURVES[name]


def load_der_private_key(data, password, backend=None, *, unsafe_skip_rsa_key_validation=False):
    try:
        body = Reader(data).enter(0x30)
        if body.tag() == 0x30:
            raise unsupported("an encrypted key in DER")
        body.take(0x02)
        if body.tag() != 0x30:
            raise unsupported("a key of type RSA, or of an old form,")
        private, _ = _curve(body.enter(0x30))
        seed = body.enter(0x04).take(0x04)
    except Damaged as damage:
        raise ValueError("%s %s" % (_UNREADABLE, damage)) from None
    if password is not None:
        raise TypeError("Password was given but private key is not encrypted.")
    return private.from_private_bytes(seed)


def load_der_public_key(data, backend=None):
    try:
        body = Reader(data).enter(0x30)
        _, public = _curve(body.enter(0x30))
        point = body.take(0x03)[1:]
    except Damaged as damage:
        raise ValueError("%s %s" % (_UNREADABLE, damage)) from None
    return public.from_public_bytes(point)


def _section(data, wanted):
    for kind, der in _cordon_tls.pem_sections(data):
        if kind == wanted:
            return der
    raise ValueError("Unable to load PEM file: there is no such key in it.")


def load_pem_private_key(data, password, backend=None, *, unsafe_skip_rsa_key_validation=False):
    if b"BEGIN ENCRYPTED PRIVATE KEY" in bytes(data):
        if password is None:
            raise TypeError("Password was not given but private key is encrypted")
        from _cordon_pkcs8 import decrypted

        return load_der_private_key(decrypted(bytes(data), bytes(password)), None)
    return load_der_private_key(_section(data, "key"), password)


def load_pem_public_key(data, backend=None):
    return load_der_public_key(_section(data, "public"))


def load_ssh_private_key(data, password, backend=None):
    raise unsupported("a key in OpenSSH's form")


def load_ssh_public_key(data, backend=None):
    raise unsupported("a key in OpenSSH's form")
