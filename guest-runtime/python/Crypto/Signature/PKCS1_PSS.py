"""RSASSA-PSS under its old name, where a wrong signature is no error."""

from Crypto.Signature import pss


class PSS_SigScheme(pss.PSS_SigScheme):
    def verify(self, msg_hash, signature):
        try:
            super().verify(msg_hash, signature)
        except ValueError:
            return False
        return True


def new(rsa_key, mgfunc=None, saltLen=None, randfunc=None):
    return PSS_SigScheme(rsa_key, mgfunc, saltLen, randfunc)
