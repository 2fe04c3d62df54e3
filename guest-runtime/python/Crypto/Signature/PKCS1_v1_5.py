"""RSASSA-PKCS1-v1_5 under its old name, where a wrong signature is no error."""

from Crypto.Signature import pkcs1_15


class PKCS115_SigScheme(pkcs1_15.PKCS115_SigScheme):
    def verify(self, msg_hash, signature):
        try:
            super().verify(msg_hash, signature)
        except ValueError:
            return False
        return True


new = PKCS115_SigScheme
