"""RSASSA-PKCS1-v1_5 as PyCryptodome has it."""

import _cordon_rsa
from Crypto.Hash import _name


class PKCS115_SigScheme:
    """Signs and verifies with one key."""

    def __init__(self, rsa_key):
        self._key = rsa_key

    def can_sign(self):
        return self._key.has_private()

    def _block(self, msg_hash):
        block = _cordon_rsa.signature_block(
            msg_hash.digest(), _name(msg_hash), self._key.size_in_bytes())
        if block is None:
            raise ValueError("The RSA key is too short for this hash")
        return block

    def sign(self, msg_hash):
        return self._key._operation(self._block(msg_hash))

    def verify(self, msg_hash, signature):
        """Raises ``ValueError`` for a signature that is not this key's."""
        if len(signature) != self._key.size_in_bytes():
            raise ValueError("Invalid signature")
        try:
            opened = self._key._public_operation(signature)
        except ValueError:
            raise ValueError("Invalid signature") from None
        if opened != self._block(msg_hash):
            raise ValueError("Invalid signature")


def new(rsa_key):
    return PKCS115_SigScheme(rsa_key)
