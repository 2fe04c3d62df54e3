"""``crypt``: can be imported, cannot be used."""

from _cordon_refusal import refused as _refused

METHOD_SHA512 = METHOD_SHA256 = METHOD_MD5 = METHOD_CRYPT = METHOD_BLOWFISH = None
methods = []
crypt = mksalt = _refused("crypt", "use hashlib.scrypt or hashlib.pbkdf2_hmac")
