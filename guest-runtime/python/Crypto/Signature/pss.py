"""RSASSA-PSS as PyCryptodome has it."""

import _cordon_rsa
from Crypto.Hash import _name


class PSS_SigScheme:
    """Signs and verifies with one key."""

    def __init__(self, key, mgfunc, saltLen, randfunc):
        self._key, self._mask, self._salt = key, mgfunc, saltLen

    def can_sign(self):
        return self._key.has_private()

    def _terms(self, msg_hash):
        digest, name = msg_hash.digest(), _name(msg_hash)
        salt = len(digest) if self._salt is None else self._salt
        return digest, name, self._mask or name, salt, self._key.size_in_bits()

    def sign(self, msg_hash):
        block = _cordon_rsa.pss_block(*self._terms(msg_hash))
        if block is None:
            raise ValueError("Digest or salt are too long for given key size.")
        return self._key._operation(block)

    def verify(self, msg_hash, signature):
        """Raises ``ValueError`` for a signature that is not this key's."""
        if len(signature) != self._key.size_in_bytes():
            raise ValueError("Incorrect signature")
        try:
            opened = self._key._public_operation(signature)
        except ValueError:
            raise ValueError("Incorrect signature") from None
        if not _cordon_rsa.pss_matches(opened, *self._terms(msg_hash)):
            raise ValueError("Incorrect signature")


def MGF1(mgfSeed, maskLen, hash_gen):
    """As many octets as wanted that a seed gives."""
    return _cordon_rsa.mgf1(mgfSeed, maskLen, _name(hash_gen))


def new(rsa_key, **kwargs):
    mask, salt = kwargs.pop("mask_func", None), kwargs.pop("salt_bytes", None)
    randfunc = kwargs.pop("rand_func", None)
    if kwargs:
        raise ValueError("Unknown keywords: " + str(kwargs.keys()))
    return PSS_SigScheme(rsa_key, mask, salt, randfunc)
