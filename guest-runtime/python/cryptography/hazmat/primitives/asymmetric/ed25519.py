"""Ed25519: signatures."""

import _cordon_crypto
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import _raw


class Ed25519PublicKey(_raw.Public):
    _curve = "Ed25519"

    def verify(self, signature, data):
        if not _cordon_crypto.ed25519_verify(self._point, signature, data):
            raise InvalidSignature


class Ed25519PrivateKey(_raw.Private):
    _curve, _public = "Ed25519", Ed25519PublicKey
    _computed = staticmethod(_cordon_crypto.ed25519_public)

    def sign(self, data):
        return _cordon_crypto.ed25519_sign(self._seed, data)
