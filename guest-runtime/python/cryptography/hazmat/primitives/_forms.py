"""What the kinds of keys have in common when they are written."""

import _cordon_keys
from cryptography.hazmat.primitives._serialization import (
    BestAvailableEncryption, Encoding, KeySerializationEncryption, NoEncryption, PrivateFormat,
    PublicFormat,
)
from cryptography.utils import unsupported


def written(der, encoding, label):
    """A DER in this encoding."""
    if encoding is Encoding.DER:
        return der
    if encoding is not Encoding.PEM:
        raise unsupported("encoding %s of this key" % encoding)
    return _cordon_keys.pem(der, label)


def private_written(pkcs8, encoding, format, encryption, traditional=None, label=None):
    """A private key in PKCS#8 or, where it has one, in the form that OpenSSL had before."""
    if not isinstance(encoding, Encoding):
        raise TypeError("encoding must be an item from the Encoding enum")
    if not isinstance(format, PrivateFormat):
        raise TypeError("format must be an item from the PrivateFormat enum")
    if not isinstance(encryption, KeySerializationEncryption):
        raise TypeError("Encryption algorithm must be a KeySerializationEncryption instance")
    if format is PrivateFormat.TraditionalOpenSSL and traditional is not None:
        if not isinstance(encryption, NoEncryption):
            raise unsupported("encryption of a private key in OpenSSL's old form (use PKCS8)")
        return written(traditional, encoding, label)
    if format is not PrivateFormat.PKCS8:
        raise unsupported("format %s of this key" % format)
    if isinstance(encryption, NoEncryption):
        return written(pkcs8, encoding, "PRIVATE KEY")
    if not isinstance(encryption, BestAvailableEncryption):
        raise unsupported("this encryption of a private key")
    from _cordon_pkcs8 import encrypted

    return written(encrypted(pkcs8, encryption.password), encoding, "ENCRYPTED PRIVATE KEY")


def public_written(key, encoding, format):
    """A public key, given as a tuple of ``_cordon_keys``, in the forms that all kinds have."""
    if not isinstance(encoding, Encoding):
        raise TypeError("encoding must be an item from the Encoding enum")
    if not isinstance(format, PublicFormat):
        raise TypeError("format must be an item from the PublicFormat enum")
    if (encoding is Encoding.OpenSSH) is not (format is PublicFormat.OpenSSH):
        raise ValueError("OpenSSH format must be used with OpenSSH encoding")
    if encoding is Encoding.OpenSSH:
        try:
            return _cordon_keys.ssh_public(key)
        except _cordon_keys.UnknownKind as unknown:
            raise unsupported(str(unknown)) from None
    if format is not PublicFormat.SubjectPublicKeyInfo:
        raise unsupported("format %s of this key" % format)
    return written(_cordon_keys.spki(key), encoding, "PUBLIC KEY")
