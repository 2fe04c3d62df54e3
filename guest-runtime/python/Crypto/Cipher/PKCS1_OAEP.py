"""RSAES-OAEP as PyCryptodome has it."""

import _cordon_rsa
from Crypto.Hash import _name


class PKCS1OAEP_Cipher:
    """Encrypts and decrypts with one key."""

    def __init__(self, key, hashAlgo, mgfunc, label, randfunc):
        self._key, self._label = key, bytes(label)
        self._hash = "sha1" if hashAlgo is None else _name(hashAlgo)
        self._mask = mgfunc or self._hash

    def can_encrypt(self):
        return self._key.can_encrypt()

    def can_decrypt(self):
        return self._key.has_private()

    def encrypt(self, message):
        block = _cordon_rsa.oaep_block(
            message, self._label, self._hash, self._mask, self._key.size_in_bytes())
        if block is None:
            raise ValueError("Plaintext is too long.")
        return self._key._public_operation(block)

    def decrypt(self, ciphertext):
        if len(ciphertext) != self._key.size_in_bytes():
            raise ValueError("Ciphertext with incorrect length.")
        message = _cordon_rsa.oaep_message(
            self._key._operation(ciphertext), self._label, self._hash, self._mask)
        if message is None:
            raise ValueError("Incorrect decryption.")
        return message


def new(key, hashAlgo=None, mgfunc=None, label=b"", randfunc=None):
    return PKCS1OAEP_Cipher(key, hashAlgo, mgfunc, label, randfunc)
