"""RSA and the curves of NIST of package `cryptography`: published vectors, and what
`openssl` made.

Runs in the component and, with the original package, under CPython:
`python3 tests/platform/programs/cryptography_keys.py`.
"""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

x = bytes.fromhex
d = base64.b64decode

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        return error
    raise AssertionError("%s was not raised" % kind.__name__)


PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
NONE = serialization.NoEncryption()

# `openssl genrsa -traditional 1024`, and `openssl pkcs8 -topk8 -v2 aes-128-cbc` of it with the
# password "secret". A key of tests.
RSA_PEM = b"""-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDSSjY33eEWbW2C8vLQ0DZV+J7MrQXU4kO+AGakmhtbuj91BeOA
WcXluNZLnwsu0EFaOZPennH7S1RHJ4xh1dxgqL7B+qMRyrdmfKAWrh9CK7XN44Gv
ON14cXwvrvFQw45TtQImVgliVz7Ub6DS6+WxJuCK2Me/U4MvtoGZl+2H9QIDAQAB
AoGADpv7QkxW2+EET6mjNuCQNc7M8Xk/w3dor2WFu/+80NWSnQWotX0HI5uAv8Yv
17O+Jo+Dd17YmlW0aDEWLqHV6nzwrPpd0hyDZINLrvi6jpJjVn3jE4WTagpGX07F
W8cLY97qg0btnZmCvs6uX3XYtQ0wPyNvwFMD7DtTl0EM4cECQQDreTfBJX/WrjrD
b0FDIVucnf5mSdFRvDK5mDwcW1UZE6yd9kWTBkATsR2iav2R8jE35SfHFaeGaAYm
+vtLGI5FAkEA5J8ATFZ3OhDfVDJWNcWLaytT8k5yasKbtNS8zL415OOh9MhlJph/
l9FkoWZK9xhj4d1Jj15UJUFwVgQVaItF8QJASJFJ2m9ZD2sQVwxhW3PbTM/wB8v2
Ay9xnnrJA6AuAJVsnB26YU4Kz0bFMDmyvZibDHPFp3gH8cb7JmYwrXr61QJBAOOR
Tceu7eDzuInjzSKbL4sOxvHTmlqgukMG26Pl1lmvKKAy9VS0yZUCTmvGGerZ8Vp7
XeSC3blz6PEGAZVdxNECQEsGd+UqYYjP5giwrDo4HCt3nH73dN6ClxAv80iL1zeX
H5VY1f2LlZ78lwBsDh/JgnvCWOaIeIiT6lHwDPwAeJk=
-----END RSA PRIVATE KEY-----
"""
RSA_ENCRYPTED = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIv9WVAa91BakCAgPo
MAwGCCqGSIb3DQILBQAwHQYJYIZIAWUDBAECBBD5NIioHjMxcqnecVIxk7HHBIIC
gOB4Oo5NsrGXkjyNaYr6MFyNqKaax5+CjrOfIC7pMyeo8RRQV/dhldGGxAzmxM7A
coocR4lhG/E+4ichMEDW3FBGNEpxRLpnuNoc8CWmYOmfY1TKh/mTvhAyNLjKRVsB
8QIWPmH4HDEkMjsESoYmhitrAy8cfUgpG+xDyfOXR6yuLKlowabNxtbPfcApSR47
MRxsiEizXGLwmw7hu3Z8TDQctdKI2lmFpaHcO/zIeGWoCSRCjjLc6N8gxysecC2w
m7H8CjSzjUu+fFeIjJJThCrOGjOc5GoShlxCsLRBcQ0y5GFyZ0qh36QlFnChV8Q3
w4j4+hKPJ3NmWNawauhDVGjkX8WfNnavxDgA3dCjiqAX81mrqdbOvaG6W2ieQVu2
We0I/yh45W81nCZmHhanYdb1ebfSOLUa0GSv/7DyrlyhCH5xW6Fpgp7Mm1ucF3oV
uHGZR1DgMhG5glf/ui01yVrmy2l0SImLzE/W1WmkUZf+MlcYSZ/EXMxkYwa6uCMw
c/LWl6NSXeIHHN+YG+Dv0iYxEBgyDOv9wbDpBXFdb0O34ccOF4xEE98lu0w0If5A
23v6P5d2AOBIbx8y6qLDtgi6k66r1aZtsN4PGXoy0rzhl1Bh/6kQJrDwCgOgPj4n
TmBZXfuFFLuwbfm8cb77v6PZQzxAYgvcBZqJ6g+F2u15UvTDMnun0mPcQhg201l8
2LEVYYQJbhE7aOCNPnrrupT52P9QG0Jk49TQ4tIttR/LfvnWg8zvpIObM0WPuZIz
4lNbEyiZy/t3S5UiX6MUGU3yHzDDkj372H81RkAJf3QBG9nHbtdd5xJht6O/VBjx
X36lb9+865E8GB02PIH7A+k=
-----END ENCRYPTED PRIVATE KEY-----
"""
RSA_PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDSSjY33eEWbW2C8vLQ0DZV+J7M
rQXU4kO+AGakmhtbuj91BeOAWcXluNZLnwsu0EFaOZPennH7S1RHJ4xh1dxgqL7B
+qMRyrdmfKAWrh9CK7XN44GvON14cXwvrvFQw45TtQImVgliVz7Ub6DS6+WxJuCK
2Me/U4MvtoGZl+2H9QIDAQAB
-----END PUBLIC KEY-----
"""

# `openssl dgst -sha256 -sign` of MESSAGE; with PSS and a salt of 32; with PSS over SHA-512,
# masks of SHA-1 and the longest salt.
MESSAGE = b"signed by openssl"
SIGNED_PKCS1 = d(
    "aTuVQ0lO5aLh6qLNi+SA00ZRDUbKsdetjw1n+eqb/gjhe4zdN2bSkHX83Y3Sim39cM+V/9VEZbcJRtYFKNmNr8U44Q5X"
    "IU2aNthrwfBMq6av/m3OW0xod7U2S2ROFjBDs3AB88CX04rrUKjzp1D9oa87s28z8z7vN0oDw6AGp4I="
)
SIGNED_PSS = d(
    "e1IhN8nmI19R2ldjkmvN12y9QF6N7sGbzNpuqhc07QKT6dAMfozfAoldDjXdV478dmEbvaUI3u3dIrNrymFUPeZINwtI"
    "D8plQ5gDqJlIMB1tTvFQMJtbURLSfK9jV0MSKY314DWGmuvcyCMUCouXRZFvLXOQvHko7hSkSrTg1yk="
)
SIGNED_PSS_MIXED = d(
    "qEihLAHW2GSHaXr1mHF6k1gfh2Oy+y59vVSilzqcutX3J5zSYUJz37v77f132LmFkflWIgHL1jMQv3iwjicJJz+WmAx4"
    "snImy3QpQkxo9At8AUpGXSS93QwW5W5pS/huiL4ZwKGQ7Spa7epFLt/h97ZnyEYkDAFH0nXawjqjDbw="
)

# `openssl pkeyutl -encrypt` of SECRET; with OAEP; with OAEP over SHA-256, masks of SHA-1 and a
# label.
SECRET = b"to the plugin"
ENCRYPTED_PKCS1 = d(
    "AD1TayM8izf5DM9ubWV4swwDZHEEbsaE8K3rMtGArfXCBORYEjNYQk0MStoA3puzaYbcBeQ/xo6DLaM0ueUwrcr05lDN"
    "35Trw7U2jqhOISvAzQbpitN1nUdqE6R5UengeY8HA5H6B2nexLB4WOIUZJskttanmnzYfelxGCQhswA="
)
ENCRYPTED_OAEP = d(
    "ACmb8DhEiKco0/zK5QPtXfMs7agRG3R3UNPcnpZ9ifM3AZYlODO4fuQF0oMwYUtswqKJn90xh53wvMY7THRnWssq+8Lp"
    "HoOMo4AtVJ0mLCOG8f5SoIEEkN5oYGqJc0N+TnKOWJ4Cb9a2ZsEh9Q4yGMukFDKvVZwWdp/3nMMD794="
)
ENCRYPTED_OAEP_MIXED = d(
    "nC+oJU7P9nC5xrCaYbWw0b04ro/9F+QLKnUckkkHVrqdjM+Y7MpGLDFY1LL0FCMKHgQjGEe0QWEOUGUJNTddVb5A308t"
    "Im8AuMJq7J+zowFXFQeBOu1S1/aSDONKWASnoc2SWOuMH85FrCl5sQzQ15CrWmadbw1lhHEdfFdKrpA="
)

# `openssl ecparam -name prime256v1 -genkey`, also as PKCS#8, and a signature of MESSAGE.
EC_PEM = b"""-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIEj+AaX4h9U/XOPTLyapTwdrY/z8GcQUd+8dN+nkVyYSoAoGCCqGSM49
AwEHoUQDQgAEnBlj3TFC7ZV/irlfiJf6I9Th1OE2SqR+KykxNdoEYQGKmuBWEY/A
ou71I2rHNgKnUfaoYOVdGXIU9arFiY/jUA==
-----END EC PRIVATE KEY-----
"""
EC_PKCS8 = b"""-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSP4BpfiH1T9c49Mv
JqlPB2tj/PwZxBR37x036eRXJhKhRANCAAScGWPdMULtlX+KuV+Il/oj1OHU4TZK
pH4rKTE12gRhAYqa4FYRj8Ci7vUjasc2AqdR9qhg5V0ZchT1qsWJj+NQ
-----END PRIVATE KEY-----
"""
SIGNED_EC = d(
    "MEUCIQCc9gjtFv2yGmlWPKFO1W0dtSPJ1TlBzKGyeMh5qiWHFgIgU+xFufhRm2cV5tE3emSBffJbUw75VhGYqNJLKCpJ"
    "JdY="
)


def loaded():
    return serialization.load_pem_private_key(RSA_PEM, None)


def pss(mask, salt):
    return padding.PSS(padding.MGF1(mask), salt)


@check
def rsa_signatures():
    key = loaded()
    public = serialization.load_pem_public_key(RSA_PUBLIC)
    assert public == key.public_key() and key.key_size == public.key_size == 1024
    sha256, sha512, v15 = hashes.SHA256(), hashes.SHA512(), padding.PKCS1v15()
    # This signature has no randomness in it.
    assert key.sign(MESSAGE, v15, sha256) == SIGNED_PKCS1
    public.verify(SIGNED_PKCS1, MESSAGE, v15, sha256)
    public.verify(SIGNED_PSS, MESSAGE, pss(sha256, 32), sha256)
    public.verify(SIGNED_PSS, MESSAGE, pss(sha256, padding.PSS.AUTO), sha256)
    public.verify(SIGNED_PSS, MESSAGE, pss(sha256, padding.PSS.DIGEST_LENGTH), sha256)
    longest = pss(hashes.SHA1(), padding.PSS.MAX_LENGTH)
    public.verify(SIGNED_PSS_MIXED, MESSAGE, longest, sha512)
    wrong = bytes((SIGNED_PKCS1[0] ^ 1,)) + SIGNED_PKCS1[1:]
    for signature, data, how, algorithm in (
        (SIGNED_PKCS1, b"other", v15, sha256),
        (SIGNED_PKCS1, MESSAGE, v15, sha512),
        (SIGNED_PKCS1, MESSAGE, pss(sha256, 32), sha256),
        (SIGNED_PSS, MESSAGE, pss(sha256, 31), sha256),
        (SIGNED_PSS, MESSAGE, pss(sha512, 32), sha256),
        (SIGNED_PSS, MESSAGE, v15, sha256),
        (wrong, MESSAGE, v15, sha256),
        (SIGNED_PKCS1[1:], MESSAGE, v15, sha256),
        (b"\0" + SIGNED_PKCS1, MESSAGE, v15, sha256),
        (b"\xff" * 128, MESSAGE, v15, sha256),
        (b"", MESSAGE, v15, sha256),
    ):
        raises(InvalidSignature, public.verify, signature, data, how, algorithm)
    for how in (v15, pss(sha512, 0), pss(sha256, padding.PSS.MAX_LENGTH), longest):
        public.verify(key.sign(MESSAGE, how, sha512), MESSAGE, how, sha512)
    digest = hashes.Hash(sha256)
    digest.update(MESSAGE)
    digest = digest.finalize()
    assert key.sign(digest, v15, utils.Prehashed(sha256)) == SIGNED_PKCS1
    public.verify(SIGNED_PKCS1, digest, v15, utils.Prehashed(sha256))
    raises(ValueError, key.sign, MESSAGE, v15, utils.Prehashed(sha256))
    assert public.recover_data_from_signature(SIGNED_PKCS1, v15, sha256) == digest
    # 128 octets have no room for 64, 64 and 2.
    raises(ValueError, key.sign, MESSAGE, pss(sha512, 63), sha512)
    raises(ValueError, key.sign, MESSAGE, pss(sha512, padding.PSS.AUTO), sha512)
    assert padding.calculate_max_pss_salt_length(key, sha512) == 62


def oaep(mask, algorithm, label=None):
    return padding.OAEP(padding.MGF1(mask), algorithm, label)


@check
def rsa_encryption():
    key = loaded()
    sha1, sha256 = hashes.SHA1(), hashes.SHA256()
    plain, mixed = oaep(sha1, sha1), oaep(sha1, sha256, b"label")
    assert key.decrypt(ENCRYPTED_PKCS1, padding.PKCS1v15()) == SECRET
    assert key.decrypt(ENCRYPTED_OAEP, plain) == SECRET
    assert key.decrypt(ENCRYPTED_OAEP_MIXED, mixed) == SECRET
    for how, most in ((padding.PKCS1v15(), 117), (plain, 86), (mixed, 62)):
        for message in (b"", b"x", b"\0" * most):
            secret = key.public_key().encrypt(message, how)
            assert len(secret) == 128 and secret != key.public_key().encrypt(message, how)
            assert key.decrypt(secret, how) == message
        raises(ValueError, key.public_key().encrypt, b"x" * (most + 1), how)
    raises(ValueError, key.decrypt, ENCRYPTED_OAEP, mixed)
    raises(ValueError, key.decrypt, ENCRYPTED_OAEP_MIXED, oaep(sha1, sha256, b"labels"))
    raises(ValueError, key.decrypt, ENCRYPTED_OAEP_MIXED, oaep(sha256, sha256, b"label"))
    raises(ValueError, key.decrypt, ENCRYPTED_OAEP[1:], plain)
    raises(ValueError, key.decrypt, b"\xff" * 128, plain)
    # A wrong padding of PKCS#1 v1.5 does not show: the message is another one, and the same
    # one each time.
    wrong = key.decrypt(ENCRYPTED_OAEP, padding.PKCS1v15())
    assert wrong == key.decrypt(ENCRYPTED_OAEP, padding.PKCS1v15()) != SECRET


@check
def rsa_numbers():
    key = loaded()
    numbers = key.private_numbers()
    public = numbers.public_numbers
    assert public.e == 65537 and public.n == numbers.p * numbers.q
    assert numbers.private_key().private_numbers() == numbers
    assert rsa.RSAPublicNumbers(public.e, public.n).public_key() == key.public_key()
    found = rsa.rsa_recover_prime_factors(public.n, public.e, numbers.d)
    assert sorted(found) == sorted((numbers.p, numbers.q))
    raises(ValueError, rsa.rsa_recover_prime_factors, public.n, public.e, numbers.d + 2)
    assert numbers.dmp1 == rsa.rsa_crt_dmp1(numbers.d, numbers.p)
    assert numbers.dmq1 == rsa.rsa_crt_dmq1(numbers.d, numbers.q)
    assert numbers.iqmp == rsa.rsa_crt_iqmp(numbers.p, numbers.q)
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, public
    )
    raises(ValueError, wrong.private_key)
    raises(ValueError, rsa.RSAPublicNumbers(65536, public.n).public_key)
    raises(ValueError, rsa.RSAPublicNumbers(1, public.n).public_key)
    raises(ValueError, rsa.generate_private_key, 65537, 512)
    raises(ValueError, rsa.generate_private_key, 65536, 2048)


@check
def rsa_generation():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert key.key_size == 2048 and key.private_numbers().p.bit_length() == 1024
    how = oaep(hashes.SHA256(), hashes.SHA256())
    assert key.decrypt(key.public_key().encrypt(b"x", how), how) == b"x"
    assert key.private_numbers().private_key().public_key() == key.public_key()


@check
def written_rsa_keys():
    key, public = loaded(), loaded().public_key()
    assert key.private_bytes(PEM, TRADITIONAL, NONE) == RSA_PEM
    assert public.public_bytes(PEM, SPKI) == RSA_PUBLIC
    opened = serialization.load_pem_private_key(RSA_ENCRYPTED, b"secret")
    assert opened.private_numbers() == key.private_numbers()
    raises(ValueError, serialization.load_pem_private_key, RSA_ENCRYPTED, b"other")
    raises(TypeError, serialization.load_pem_private_key, RSA_ENCRYPTED, None)
    raises(TypeError, serialization.load_pem_private_key, RSA_PEM, b"secret")
    for encoding, load in (
        (PEM, serialization.load_pem_private_key),
        (DER, serialization.load_der_private_key),
    ):
        for form in (PKCS8, TRADITIONAL):
            again = load(key.private_bytes(encoding, form, NONE), None)
            assert again.private_numbers() == key.private_numbers()
        encryption = serialization.BestAvailableEncryption(b"pass")
        secret = key.private_bytes(encoding, PKCS8, encryption)
        assert load(secret, b"pass").private_numbers() == key.private_numbers()
        raises(ValueError, load, secret, b"wrong")
    for form in (SPKI, serialization.PublicFormat.PKCS1):
        assert serialization.load_der_public_key(public.public_bytes(DER, form)) == public
        assert serialization.load_pem_public_key(public.public_bytes(PEM, form)) == public
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert line.startswith(b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ")
    assert serialization.load_ssh_public_key(line + b" somebody@example") == public
    der = public.public_bytes(DER, SPKI)
    for wrong in (der[:-1], der + b"\0", b""):
        raises(ValueError, serialization.load_der_public_key, wrong)
    for wrong in (RSA_PEM[:200], b"", RSA_PEM.replace(b"MIIC", b"MIID", 1)):
        raises(ValueError, serialization.load_pem_private_key, wrong, None)


# RFC 6979, A.2.5 to A.2.7: the message "sample".
DETERMINISTIC = (
    (
        ec.SECP256R1(),
        hashes.SHA256(),
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        ec.SECP384R1(),
        hashes.SHA384(),
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
        "96D5724E4C70A825F872C9EA60D2EDF5",
        "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
        "81A648152E44ACF96E36DD1E80FABE46",
        "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
        "A329C145786E679E7B82C71A38628AC8",
    ),
    (
        ec.SECP521R1(),
        hashes.SHA512(),
        "0FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75C"
        "AA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
        "0C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F1"
        "74E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
        "0617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF2"
        "82623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
    ),
)


@check
def curve_signatures():
    for curve, algorithm, secret, r, s in DETERMINISTIC:
        key = ec.derive_private_key(int(secret, 16), curve)
        fixed = ec.ECDSA(algorithm, deterministic_signing=True)
        signature = key.sign(b"sample", fixed)
        assert utils.decode_dss_signature(signature) == (int(r, 16), int(s, 16)), curve.name
        public = key.public_key()
        public.verify(signature, b"sample", ec.ECDSA(algorithm))
        raises(InvalidSignature, public.verify, signature, b"samples", ec.ECDSA(algorithm))
        # Without that, every signature is another one; hashes may be shorter or longer.
        for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA512()):
            how = ec.ECDSA(algorithm)
            signature = key.sign(b"x", how)
            assert signature != key.sign(b"x", how)
            public.verify(signature, b"x", how)
    key = serialization.load_pem_private_key(EC_PEM, None)
    public, how = key.public_key(), ec.ECDSA(hashes.SHA256())
    public.verify(SIGNED_EC, MESSAGE, how)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(MESSAGE)
    digest = digest.finalize()
    public.verify(SIGNED_EC, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    r, s = utils.decode_dss_signature(SIGNED_EC)
    assert utils.encode_dss_signature(r, s) == SIGNED_EC
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    public.verify(utils.encode_dss_signature(r, order - s), MESSAGE, how)
    for wrong in ((0, s), (r, 0), (r + order, s), (r, s + order), (r, order), (s, r)):
        raises(InvalidSignature, public.verify, utils.encode_dss_signature(*wrong), MESSAGE, how)
    raises(ValueError, utils.encode_dss_signature, -r, s)
    # The same numbers in more octets than they need.
    longer = bytes((0x30, SIGNED_EC[1] + 1, 2, SIGNED_EC[3] + 1, 0)) + SIGNED_EC[4:]
    for wrong in (b"", b"x", SIGNED_EC[:-1], SIGNED_EC + b"\0", longer):
        raises(InvalidSignature, public.verify, wrong, MESSAGE, how)
    raises(ValueError, utils.decode_dss_signature, SIGNED_EC[:-1])


@check
def curve_exchange():
    # NIST CAVP, KAS ECC CDH, P-256, count 0.
    key = ec.derive_private_key(
        0x7D7DC5F71EB29DDAF80D6214632EEAE03D9058AF1FB6D22ED80BADB62BC1A534, ec.SECP256R1()
    )
    peer = ec.EllipticCurvePublicNumbers(
        0x700C48F77F56584C5CC632CA65640DB91B6BACCE3A4DF6B42CE7CC838833D287,
        0xDB71E509E3FD9B060DDB20BA5C51DCC5948D46FBF640DFE0441782CAB85FA4AC,
        ec.SECP256R1(),
    ).public_key()
    assert key.exchange(ec.ECDH(), peer) == x(
        "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b"
    )
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        one, other = ec.generate_private_key(curve), ec.generate_private_key(curve)
        shared = one.exchange(ec.ECDH(), other.public_key())
        assert shared == other.exchange(ec.ECDH(), one.public_key())
        assert len(shared) == (curve.key_size + 7) // 8 and one.curve.name == curve.name
    raises(ValueError, one.exchange, ec.ECDH(), peer)


@check
def curve_points():
    public = serialization.load_pem_private_key(EC_PEM, None).public_key()
    x962 = serialization.Encoding.X962
    whole = public.public_bytes(x962, serialization.PublicFormat.UncompressedPoint)
    short = public.public_bytes(x962, serialization.PublicFormat.CompressedPoint)
    numbers = public.public_numbers()
    assert whole == b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert short == bytes((2 + numbers.y % 2,)) + whole[1:33]
    curve = ec.SECP256R1()
    load = ec.EllipticCurvePublicKey.from_encoded_point
    assert load(curve, whole) == load(curve, short) == numbers.public_key() == public
    # Points beside the curve would give away a secret, digit by digit.
    for wrong in (b"", b"\0", whole[:-1], whole + b"\0", whole[:-1] + b"\0", b"\5" + whole[1:]):
        raises(ValueError, load, curve, wrong)
    wrong = ec.EllipticCurvePublicNumbers(numbers.x, numbers.y ^ 1, curve)
    raises(ValueError, wrong.public_key)
    raises(ValueError, ec.derive_private_key, 0, curve)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    raises(ValueError, ec.derive_private_key, order, curve)
    assert ec.derive_private_key(order - 1, curve).public_key().public_numbers().x == (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
    )


@check
def written_curve_keys():
    key = serialization.load_pem_private_key(EC_PEM, None)
    other = serialization.load_pem_private_key(EC_PKCS8, None)
    assert other.private_numbers() == key.private_numbers()
    assert key.private_bytes(PEM, TRADITIONAL, NONE) == EC_PEM
    assert key.private_bytes(PEM, PKCS8, NONE) == EC_PKCS8
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        key = ec.generate_private_key(curve)
        for form in (PKCS8, TRADITIONAL):
            again = serialization.load_der_private_key(key.private_bytes(DER, form, NONE), None)
            assert again.private_numbers() == key.private_numbers()
        encryption = serialization.BestAvailableEncryption(b"pass")
        again = serialization.load_pem_private_key(
            key.private_bytes(PEM, PKCS8, encryption), b"pass"
        )
        assert again.private_numbers().private_key().public_key() == key.public_key()
        public = key.public_key()
        assert serialization.load_pem_public_key(public.public_bytes(PEM, SPKI)) == public
        line = public.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        assert line.startswith(b"ecdsa-sha2-nistp%d AAAA" % curve.key_size)
        assert serialization.load_ssh_public_key(line) == public
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    assert serialization.load_ssh_public_key(line) == public
    encrypted = ed25519.Ed25519PrivateKey.generate().private_bytes(
        PEM, PKCS8, serialization.BestAvailableEncryption(b"pass")
    )
    assert serialization.load_pem_private_key(encrypted, b"pass")


if __name__ == "__main__":
    for function in CHECKS:
        function()
        print("passed", function.__name__)
