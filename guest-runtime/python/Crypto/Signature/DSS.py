"""ECDSA as PyCryptodome has it. DSA over numbers is not part of this runtime."""

import os

import _cordon_asymmetric
from _cordon_der import Damaged, Reader, integer, number_of, value
from Crypto.Hash import _name
from Crypto.PublicKey.ECC import EccKey

_NONCE_HASHES = {256: "sha256", 384: "sha384", 521: "sha512"}


class EccSigScheme:
    """Signs and verifies with one key."""

    def __init__(self, key, encoding, deterministic):
        self._key, self._encoding, self._deterministic = key, encoding, deterministic

    def can_sign(self):
        return self._key.has_private()

    def sign(self, msg_hash):
        if not self._key.has_private():
            raise TypeError("Private key is needed to sign")
        bits = self._key._bits
        name, extra = _NONCE_HASHES[bits], os.urandom(32)
        if self._deterministic:
            name, extra = _name(msg_hash), b""
            if name not in _NONCE_HASHES.values():
                raise NotImplementedError("ECDSA without randomness over %s is not part of this"
                                          " hub" % name)
        signature = _cordon_asymmetric.nist_sign(
            bits, self._key._secret, msg_hash.digest(), name, extra)
        if self._encoding == "binary":
            return signature
        half = len(signature) // 2
        return value(0x30, *(integer(int.from_bytes(part, "big"))
                             for part in (signature[:half], signature[half:])))

    def verify(self, msg_hash, signature):
        """Raises ``ValueError`` for a signature that is not this key's."""
        if self._encoding == "der":
            size = (self._key._bits + 7) // 8
            try:
                body = Reader(signature).enter(0x30)
                r, s = number_of(body.take(0x02)), number_of(body.take(0x02))
                if value(0x30, integer(r), integer(s)) != bytes(signature):
                    raise Damaged("it is longer than it has to be")
                signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
            except (Damaged, OverflowError):
                raise ValueError("The signature is not authentic (DER)") from None
        if not _cordon_asymmetric.nist_verify(
                self._key._bits, self._key._point, msg_hash.digest(), signature):
            raise ValueError("The signature is not authentic")


def new(key, mode, encoding="binary", randfunc=None):
    if not isinstance(key, EccKey):
        raise NotImplementedError("DSA is not part of this hub, which has ECDSA")
    if mode not in ("fips-186-3", "deterministic-rfc6979"):
        raise ValueError("Unknown DSS mode '%s'" % mode)
    if encoding not in ("binary", "der"):
        raise ValueError("Unknown encoding '%s'" % encoding)
    return EccSigScheme(key, encoding, mode == "deterministic-rfc6979")
