"""Keys from passwords."""

import hashlib


def _bytes(text):
    return text.encode("latin-1") if isinstance(text, str) else bytes(text)


def PBKDF2(password, salt, dkLen=16, count=1000, prf=None, hmac_hash_module=None):
    if prf is not None:
        raise NotImplementedError("PBKDF2 with a function of the caller's; name a hash instead")
    name = "sha1" if hmac_hash_module is None else hmac_hash_module.hashlib_name
    return hashlib.pbkdf2_hmac(name, _bytes(password), _bytes(salt), count, dkLen)


def scrypt(password, salt, key_len, N, r, p, num_keys=1):
    if num_keys != 1:
        raise NotImplementedError("scrypt for several keys at once")
    return hashlib.scrypt(_bytes(password), salt=_bytes(salt), n=N, r=r, p=p, dklen=key_len,
                          maxmem=256 * N * r * p + (1 << 20))
