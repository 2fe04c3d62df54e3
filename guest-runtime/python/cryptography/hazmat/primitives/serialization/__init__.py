"""Reading and writing keys."""

import _cordon_keys
import _cordon_rsa
from _cordon_der import Damaged
from cryptography.hazmat.primitives._serialization import (  # noqa: F401
    BestAvailableEncryption, Encoding, KeySerializationEncryption, NoEncryption,
    ParameterFormat, PrivateFormat, PublicFormat,
)
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.utils import check_byteslike, unsupported

_RAW = {"ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
        "x25519": (x25519.X25519PrivateKey, x25519.X25519PublicKey)}

_UNREADABLE = "Could not deserialize key data."

_PRIVATE_LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
_PUBLIC_LABELS = ("PUBLIC KEY", "RSA PUBLIC KEY")


def _read(read, data):
    try:
        return read(bytes(data))
    except Damaged as damage:
        raise ValueError("%s %s" % (_UNREADABLE, damage)) from None
    except _cordon_keys.UnknownKind as unknown:
        raise unsupported(str(unknown)) from None


def _private(key):
    """The object of a tuple of ``_cordon_keys``."""
    kind, *numbers = key
    if kind == "rsa":
        n, e, d, p, q, dp, dq, qi = numbers
        # The numbers for the remainder theorem are computed anew: a damaged one gives
        # away the key with the first signature.
        return rsa.RSAPrivateKey(_cordon_rsa.private(n, e, d, p, q))
    if kind == "ec":
        return ec.EllipticCurvePrivateKey(*numbers)
    return _RAW[kind][0].from_private_bytes(*numbers)


def _public(key):
    kind, *numbers = key
    if kind == "rsa":
        n, e = numbers
        return rsa.RSAPublicNumbers(e, n).public_key()
    if kind == "ec":
        return ec.EllipticCurvePublicKey(*numbers)
    return _RAW[kind][1].from_public_bytes(*numbers)


def load_der_private_key(data, password, backend=None, *, unsafe_skip_rsa_key_validation=False):
    check_byteslike("data", data)
    der = bytes(data)
    if _read(_cordon_keys.is_encrypted, der):
        if password is None:
            raise TypeError("Password was not given but private key is encrypted")
        from _cordon_pkcs8 import decrypted_der

        try:
            der = decrypted_der(der, bytes(password))
        except NotImplementedError as refusal:
            raise unsupported("this encryption of a key (%s)" % refusal) from None
    elif password is not None:
        raise TypeError("Password was given but private key is not encrypted.")
    return _private(_read(_cordon_keys.read_private, der))


def load_der_public_key(data, backend=None):
    check_byteslike("data", data)
    return _public(_read(_cordon_keys.read_public, data))


def _section(data, labels):
    check_byteslike("data", data)
    try:
        for label, der in _cordon_keys.sections(data):
            if label not in labels:
                continue
            if der is None:
                raise unsupported("the old encryption of OpenSSL (convert the key with `openssl"
                                  " pkcs8 -topk8 -v2 aes-256-cbc`)")
            return der
    except Damaged as damage:
        raise ValueError("Unable to load PEM file: %s" % damage) from None
    raise ValueError("Unable to load PEM file: there is no such key in it.")


def load_pem_private_key(data, password, backend=None, *, unsafe_skip_rsa_key_validation=False):
    return load_der_private_key(_section(data, _PRIVATE_LABELS), password)


def load_pem_public_key(data, backend=None):
    return load_der_public_key(_section(data, _PUBLIC_LABELS))


def load_ssh_private_key(data, password, backend=None):
    raise unsupported("a private key in OpenSSH's form")


def load_ssh_public_key(data, backend=None):
    check_byteslike("data", data)
    return _public(_read(_cordon_keys.read_ssh_public, data))
