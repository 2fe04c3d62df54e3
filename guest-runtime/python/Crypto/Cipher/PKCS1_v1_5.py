"""RSAES-PKCS1-v1_5 as PyCryptodome has it."""

import _cordon_asymmetric
import _cordon_rsa


class PKCS115_Cipher:
    """Encrypts and decrypts with one key."""

    def __init__(self, key, randfunc):
        self._key = key

    def can_encrypt(self):
        return self._key.can_encrypt()

    def can_decrypt(self):
        return self._key.has_private()

    def encrypt(self, message):
        block = _cordon_rsa.encryption_block(message, self._key.size_in_bytes())
        if block is None:
            raise ValueError("Plaintext is too long.")
        return self._key._public_operation(block)

    def decrypt(self, ciphertext, sentinel, expected_pt_len=0):
        """The message, or the sentinel for a wrong padding."""
        if len(ciphertext) != self._key.size_in_bytes():
            raise ValueError("Ciphertext with incorrect length (not %d bytes)"
                             % self._key.size_in_bytes())
        message = _cordon_asymmetric.pkcs1v15_message(self._key._operation(ciphertext))
        if message is None or expected_pt_len and len(message) != expected_pt_len:
            return sentinel
        return message


def new(key, randfunc=None):
    return PKCS115_Cipher(key, randfunc)
