"""X25519: two sides agree on a secret."""

import _cordon_crypto
from cryptography.hazmat.primitives.asymmetric import _raw


class X25519PublicKey(_raw.Public):
    _curve = "X25519"


class X25519PrivateKey(_raw.Private):
    _curve, _public = "X25519", X25519PublicKey
    _computed = staticmethod(_cordon_crypto.x25519_public)

    def exchange(self, peer_public_key):
        if not isinstance(peer_public_key, X25519PublicKey):
            raise TypeError("peer_public_key must be X25519PublicKey.")
        shared = _cordon_crypto.x25519(self._seed, peer_public_key._point)
        if not any(shared):
            raise ValueError("Error computing shared key.")
        return shared
