"""Keys, signatures and encryption of package `Crypto` (PyCryptodome).

`openssl_made` answers what `openssl` made: keys, signatures of MESSAGE, encryptions of SECRET.
The test puts it in place of this one.
"""

from Crypto.Cipher import PKCS1_OAEP, PKCS1_v1_5
from Crypto.Hash import SHA1, SHA256, SHA512
from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import DSS, PKCS1_PSS, pkcs1_15, pss
from Crypto.Signature import PKCS1_v1_5 as old_signature

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def raises(kind, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % kind.__name__)


def openssl_made(name):
    raise NotImplementedError(name)


MESSAGE, SECRET = b"signed by openssl", b"to the plugin"


def loaded():
    return RSA.import_key(openssl_made("rsa"))


@check
def rsa_keys():
    key = loaded()
    assert key.has_private() and key.n == key.p * key.q and key.e == 65537
    assert key.size_in_bits() == 2048 and key.size_in_bytes() == 256
    assert key.u == pow(key.p, -1, key.q) and pow(pow(5, key.e, key.n), key.d, key.n) == 5
    assert RSA.construct((key.n, key.e, key.d, key.p, key.q)) == key
    assert RSA.construct((key.n, key.e, key.d)).d == key.d
    public = RSA.import_key(openssl_made("rsa public"))
    assert public == key.public_key() == key.publickey() == RSA.construct((key.n, key.e))
    assert not public.has_private()
    raises(AttributeError, lambda: public.d)
    raises(ValueError, RSA.construct, (key.n, key.e, key.d + 2))
    raises(ValueError, RSA.construct, (key.n, key.e, key.d, key.p + 2, key.q))
    for options in ({}, {"pkcs": 8}, {"format": "DER"}, {"format": "DER", "pkcs": 8}):
        assert RSA.import_key(key.export_key(**options)) == key
    for form in ("PEM", "DER", "OpenSSH"):
        assert RSA.import_key(public.export_key(format=form)) == public
    assert key.exportKey().decode().strip() == openssl_made("rsa").strip()
    secret = key.export_key(pkcs=8, passphrase="pass")
    assert RSA.importKey(secret, "pass") == key
    raises(ValueError, RSA.import_key, secret, "other")
    raises(NotImplementedError, key.export_key, passphrase="pass")
    assert RSA.import_key(openssl_made("rsa encrypted"), b"secret") == key
    raises(ValueError, RSA.import_key, b"nonsense")
    raises(ValueError, RSA.import_key, openssl_made("ec"))
    raises(ValueError, RSA.generate, 512)
    assert RSA.generate(1024, e=17).e == 17


@check
def rsa_signatures():
    key = loaded()
    public = key.public_key()
    assert pkcs1_15.new(key).sign(SHA256.new(MESSAGE)) == openssl_made("pkcs1")
    pkcs1_15.new(public).verify(SHA256.new(MESSAGE), openssl_made("pkcs1"))
    raises(ValueError, pkcs1_15.new(public).verify, SHA256.new(b"other"), openssl_made("pkcs1"))
    raises(ValueError, pkcs1_15.new(public).verify, SHA512.new(MESSAGE), openssl_made("pkcs1"))
    raises(TypeError, pkcs1_15.new(public).sign, SHA256.new(MESSAGE))
    assert pkcs1_15.new(key).can_sign() and not pkcs1_15.new(public).can_sign()
    assert old_signature.new(public).verify(SHA256.new(MESSAGE), openssl_made("pkcs1"))
    assert not old_signature.new(public).verify(SHA256.new(b"other"), openssl_made("pkcs1"))
    pss.new(public).verify(SHA256.new(MESSAGE), openssl_made("pss"))
    raises(ValueError, pss.new(public).verify, SHA256.new(b"other"), openssl_made("pss"))
    raises(
        ValueError, pss.new(public, salt_bytes=20).verify, SHA256.new(MESSAGE), openssl_made("pss")
    )
    mask = lambda seed, length: pss.MGF1(seed, length, SHA1)
    for options in ({}, {"salt_bytes": 0}, {"mask_func": mask}):
        signature = pss.new(key, **options).sign(SHA512.new(MESSAGE))
        pss.new(public, **options).verify(SHA512.new(MESSAGE), signature)
    assert PKCS1_PSS.new(public).verify(SHA256.new(MESSAGE), openssl_made("pss"))


@check
def rsa_encryption():
    key = loaded()
    public = key.public_key()
    for module, name in ((PKCS1_OAEP, "oaep"), (PKCS1_v1_5, "encrypted pkcs1")):
        rest = () if module is PKCS1_OAEP else (b"sentinel",)
        cipher, other = module.new(key), module.new(public)
        assert cipher.decrypt(openssl_made(name), *rest) == SECRET
        assert cipher.decrypt(other.encrypt(b"hello"), *rest) == b"hello"
        raises(TypeError, other.decrypt, openssl_made(name), *rest)
        raises(ValueError, other.encrypt, b"x" * 250)
        raises(ValueError, cipher.decrypt, b"short", *rest)
    cipher = PKCS1_v1_5.new(key)
    assert cipher.decrypt(openssl_made("oaep"), b"sentinel") == b"sentinel"
    assert cipher.decrypt(openssl_made("encrypted pkcs1"), None, 5) is None
    assert cipher.decrypt(openssl_made("encrypted pkcs1"), None, len(SECRET)) == SECRET
    mask = lambda seed, length: pss.MGF1(seed, length, SHA1)
    mixed = {"hashAlgo": SHA256, "mgfunc": mask, "label": b"label"}
    secret = PKCS1_OAEP.new(public, **mixed).encrypt(b"hello")
    assert PKCS1_OAEP.new(key, **mixed).decrypt(secret) == b"hello"
    raises(ValueError, PKCS1_OAEP.new(key).decrypt, secret)
    raises(ValueError, PKCS1_OAEP.new(key, SHA256).decrypt, openssl_made("oaep"))


@check
def curves():
    key = ECC.import_key(openssl_made("ec"))
    assert key.curve == "NIST P-256" and key.has_private()
    public = ECC.import_key(openssl_made("ec public"))
    assert public == key.public_key() and not public.has_private()
    DSS.new(public, "fips-186-3", encoding="der").verify(SHA256.new(MESSAGE), openssl_made("ecdsa"))
    point = public.pointQ
    assert ECC.construct(curve="P-256", point_x=point.x, point_y=point.y) == public
    assert ECC.construct(curve="p256", d=key.d) == key
    raises(ValueError, ECC.construct, curve="P-256", point_x=point.x, point_y=point.y ^ 1)
    raises(NotImplementedError, ECC.generate, curve="P-192")
    # RFC 6979, A.2.5.
    fixed = ECC.construct(
        curve="P-256", d=0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
    )
    assert DSS.new(fixed, "deterministic-rfc6979").sign(SHA256.new(b"sample")).hex() == (
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    )
    for curve in ("P-256", "P-384", "P-521"):
        key = ECC.generate(curve=curve)
        for options in ({}, {"use_pkcs8": False}, {"format": "DER"}, {"passphrase": "pass"}):
            assert ECC.import_key(key.export_key(**options), options.get("passphrase")) == key
        for options in ({"compress": True}, {"format": "DER"}, {"format": "OpenSSH"}):
            assert ECC.import_key(key.public_key().export_key(**options)) == key.public_key()
        octets = key.public_key().export_key(format="SEC1", compress=True)
        assert ECC.import_key(octets, curve_name=curve) == key.public_key()
        for mode in ("fips-186-3", "deterministic-rfc6979"):
            signature = DSS.new(key, mode).sign(SHA512.new(b"x"))
            verifier = DSS.new(key.public_key(), mode)
            verifier.verify(SHA512.new(b"x"), signature)
            raises(ValueError, verifier.verify, SHA512.new(b"y"), signature)
            raises(ValueError, verifier.verify, SHA512.new(b"x"), signature[:-1])


@check
def other_name():
    from Cryptodome.Cipher import AES
    from Cryptodome.PublicKey import RSA as same

    assert same is RSA and AES.block_size == 16
    raises(ModuleNotFoundError, __import__, "Cryptodome.Nothing")
