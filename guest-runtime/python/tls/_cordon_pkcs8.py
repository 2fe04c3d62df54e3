"""Private keys that are encrypted with a password (RFC 8018, PBES2 with AES-CBC)."""

import base64
import hashlib
import os

import _cordon_crypto
from _cordon_der import Damaged, Reader, integer, number_of, oid, oid_text, value

_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"

_HASHES = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}

# Length of the key in bytes.
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": 16,
    "2.16.840.1.101.3.4.1.22": 24,
    "2.16.840.1.101.3.4.1.42": 32,
}

_BEGIN, _END = b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"-----END ENCRYPTED PRIVATE KEY-----"

# Rounds of PBKDF2 in keys that are written here.
_ROUNDS = 20000

_ADVICE = "convert the key with `openssl pkcs8 -topk8 -v2 aes-256-cbc`"


def decrypted(pem, password):
    """The PKCS#8 DER of the encrypted key in a PEM text.

    Raises ``ValueError`` for a wrong password and ``NotImplementedError`` for
    another encryption.
    """
    _, begun, rest = pem.partition(_BEGIN)
    if not begun:
        raise NotImplementedError("the key is encrypted in the old form of OpenSSL; " + _ADVICE)
    return decrypted_der(base64.b64decode(rest.partition(_END)[0]), password)


def decrypted_der(der, password):
    """The PKCS#8 DER in the DER of an encrypted key; raises as ``decrypted`` does."""
    outer = Reader(der).enter(0x30)
    algorithm, secret = outer.enter(0x30), outer.take(0x04)
    if oid_text(algorithm.take(0x06)) != _PBES2:
        raise NotImplementedError("the key is encrypted in an old way; " + _ADVICE)
    parameters = algorithm.enter(0x30)
    derivation, scheme = parameters.enter(0x30), parameters.enter(0x30)
    cipher = oid_text(scheme.take(0x06))
    if oid_text(derivation.take(0x06)) != _PBKDF2 or cipher not in _CIPHERS:
        raise NotImplementedError("the key is not encrypted with PBKDF2 and AES; " + _ADVICE)
    details = derivation.enter(0x30)
    salt, rounds = details.take(0x04), number_of(details.take(0x02))
    name = "sha1"
    while details.more():
        tag, content = details.next()
        if tag == 0x30:
            name = _HASHES[oid_text(Reader(content).take(0x06))]
    key = hashlib.pbkdf2_hmac(name, password, salt, rounds, _CIPHERS[cipher])
    work = _cordon_crypto.AesWork("CBC", key, scheme.take(0x04), False)
    padded = work.update(secret)
    padding = padded[-1] if padded else 0
    plain = padded[:-padding] if 1 <= padding <= 16 else b""
    try:
        Reader(plain).enter(0x30).take(0x02)
    except Damaged:
        raise ValueError("wrong password, or a damaged key") from None
    return plain


def encrypted(pkcs8, password):
    """The DER of a PKCS#8 key, encrypted with AES-256-CBC under PBKDF2 with SHA-256."""
    salt, vector = os.urandom(16), os.urandom(16)
    key = hashlib.pbkdf2_hmac("sha256", password, salt, _ROUNDS, 32)
    filling = 16 - len(pkcs8) % 16
    work = _cordon_crypto.AesWork("CBC", key, vector, True)
    secret = work.update(pkcs8 + bytes((filling,)) * filling)
    hashed = value(0x30, oid("1.2.840.113549.2.9"), b"\x05\0")
    derivation = value(0x30, value(0x04, salt), integer(_ROUNDS), hashed)
    parameters = value(
        0x30,
        value(0x30, oid(_PBKDF2), derivation),
        value(0x30, oid("2.16.840.1.101.3.4.1.42"), value(0x04, vector)),
    )
    return value(0x30, value(0x30, oid(_PBES2), parameters), value(0x04, secret))
