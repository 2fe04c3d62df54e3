"""Keys in pairs: RSA and the curves P-256, P-384 and P-521."""

import _cordon_keys
from _cordon_der import Damaged


def _read(extern_key, passphrase, kind, unreadable):
    """The key in a text or DER, as a tuple of ``_cordon_keys``, and whether it is private."""
    data = extern_key.encode() if isinstance(extern_key, str) else bytes(extern_key)
    if isinstance(passphrase, str):
        passphrase = passphrase.encode()
    try:
        key, private = _decoded(data, passphrase)
    except NotImplementedError:
        raise
    except _cordon_keys.UnknownKind as unknown:
        raise NotImplementedError("%s is not part of this hub" % unknown) from None
    except Damaged as damage:
        raise ValueError("%s: %s" % (unreadable, damage)) from None
    if key[0] != kind:
        raise ValueError("%s: it is a key of kind %s" % (unreadable, key[0]))
    return key, private


def _decoded(data, passphrase):
    if data.startswith((b"ssh-", b"ecdsa-sha2-")):
        return _cordon_keys.read_ssh_public(data), False
    if data.lstrip().startswith(b"-----BEGIN "):
        for label, der in _cordon_keys.sections(data):
            if der is None or label == "OPENSSH PRIVATE KEY":
                raise NotImplementedError("a key in this form is not part of this hub; convert it"
                                          " with `openssl pkcs8 -topk8 -v2 aes-256-cbc`")
            if label.endswith("PRIVATE KEY"):
                return _cordon_keys.read_private(_opened(der, passphrase)), True
            if label.endswith("PUBLIC KEY"):
                return _cordon_keys.read_public(der), False
        raise Damaged("there is no key in the text")
    try:
        return _cordon_keys.read_private(_opened(data, passphrase)), True
    except Damaged:
        return _cordon_keys.read_public(data), False


def _opened(der, passphrase):
    """A DER without its encryption; one of another form passes."""
    if passphrase is None or not _cordon_keys.is_encrypted(der):
        return der
    from _cordon_pkcs8 import decrypted_der

    return decrypted_der(der, passphrase)


def _written(pkcs8, passphrase, format):
    """A PKCS#8 key as PEM or DER, encrypted where there is a passphrase."""
    label = "PRIVATE KEY"
    if passphrase is not None:
        from _cordon_pkcs8 import encrypted

        secret = passphrase.encode() if isinstance(passphrase, str) else bytes(passphrase)
        pkcs8, label = encrypted(pkcs8, secret), "ENCRYPTED PRIVATE KEY"
    return _form(pkcs8, label, format)


def _form(der, label, format):
    if format == "DER":
        return der
    if format != "PEM":
        raise ValueError("Unknown key format '%s'. Cannot export the key." % format)
    return _cordon_keys.pem(der, label).rstrip(b"\n")
