"""Published vectors, and the errors of package `cryptography`.

Runs in the component and, with the original package, under CPython:
`python3 tests/platform/programs/cryptography_vectors.py`.
"""

from cryptography.exceptions import (
    AlreadyFinalized,
    InvalidKey,
    InvalidSignature,
    InvalidTag,
)
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import constant_time, hashes, hmac, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

x = bytes.fromhex

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


def through(context, data, step):
    out = b"".join(context.update(data[at : at + step]) for at in range(0, len(data), step))
    return out + context.finalize()


# NIST SP 800-38A, appendix F: two blocks of each mode.
KEY = x("2b7e151628aed2a6abf7158809cf4f3c")
KEY_192 = x("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b")
KEY_256 = x("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
PLAIN = x("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
VECTOR = x("000102030405060708090a0b0c0d0e0f")
COUNTER = x("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")

NIST = (
    (KEY, modes.ECB(), "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"),
    (KEY_192, modes.ECB(), "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"),
    (KEY_256, modes.ECB(), "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"),
    (KEY, modes.CBC(VECTOR), "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"),
    (
        KEY_256,
        modes.CBC(VECTOR),
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d",
    ),
    (KEY, modes.CFB(VECTOR), "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"),
    (KEY, modes.CFB8(VECTOR), "3b79424c9c0dd436bace9e0ed4586a4f32b9"),
    (KEY, modes.OFB(VECTOR), "3b3fd92eb72dad20333449f8e83cfb4a7789508d16918f03f53c52dac54ed825"),
    (KEY, modes.CTR(COUNTER), "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"),
    (
        KEY_256,
        modes.CTR(COUNTER),
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5",
    ),
)


@check
def aes_modes():
    for key, mode, expected in NIST:
        expected = x(expected)
        cipher = Cipher(algorithms.AES(key), mode, default_backend())
        for step in (1, 5, 16, 100):
            secret = through(cipher.encryptor(), PLAIN, step)
            assert secret.startswith(expected), (mode.name, step, secret.hex())
            assert through(cipher.decryptor(), secret, step) == PLAIN, (mode.name, step)


@check
def aes_refusals():
    raises(ValueError, algorithms.AES, b"short")
    raises(ValueError, Cipher, algorithms.AES(KEY), modes.CBC(b"short"))
    raises(TypeError, algorithms.AES, "text")
    work = Cipher(algorithms.AES(KEY), modes.CBC(VECTOR)).encryptor()
    work.update(b"not whole blocks")
    work.update(b"x")
    raises(ValueError, work.finalize)
    work = Cipher(algorithms.AES(KEY), modes.CTR(VECTOR)).encryptor()
    work.finalize()
    raises(AlreadyFinalized, work.update, b"x")
    # A counter that goes over its end.
    work = Cipher(algorithms.AES(KEY), modes.CTR(b"\xff" * 16)).encryptor()
    ecb = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    assert work.update(bytes(32)) == ecb.update(b"\xff" * 16 + bytes(16))


# McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 4 to 6.
GCM_KEY = x("feffe9928665731c6d6a8f9467308308")
GCM_PLAIN = x(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953"
    "2fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
GCM_OTHER = x("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM = (
    (
        "cafebabefacedbaddecaf888",
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
        "aa051ba30b396a0aac973d58e091",
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
    (
        "cafebabefacedbad",
        "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d489"
        "6b424989b5e1ebac0f07c23f4598",
        "3612d2e79e3b0785561be14aaca2fccb",
    ),
)


@check
def aes_gcm():
    for nonce, secret, tag in GCM:
        nonce, secret, tag = x(nonce), x(secret), x(tag)
        assert AESGCM(GCM_KEY).encrypt(nonce, GCM_PLAIN, GCM_OTHER) == secret + tag
        assert AESGCM(GCM_KEY).decrypt(nonce, secret + tag, GCM_OTHER) == GCM_PLAIN
        for step in (1, 7, 16, 60):
            work = Cipher(algorithms.AES(GCM_KEY), modes.GCM(nonce)).encryptor()
            work.authenticate_additional_data(GCM_OTHER[:step])
            work.authenticate_additional_data(GCM_OTHER[step:])
            assert through(work, GCM_PLAIN, step) == secret
            assert work.tag == tag
            work = Cipher(algorithms.AES(GCM_KEY), modes.GCM(nonce, tag)).decryptor()
            work.authenticate_additional_data(GCM_OTHER)
            assert through(work, secret, step) == GCM_PLAIN
        raises(InvalidTag, AESGCM(GCM_KEY).decrypt, nonce, secret + tag, b"other")
        raises(InvalidTag, AESGCM(GCM_KEY).decrypt, nonce, b"x" + (secret + tag)[1:], GCM_OTHER)
        raises(InvalidTag, AESGCM(GCM_KEY).decrypt, nonce, b"short", None)
        work = Cipher(algorithms.AES(GCM_KEY), modes.GCM(nonce)).decryptor()
        work.update(secret)
        raises(InvalidTag, work.finalize_with_tag, tag)
    # Case 1: nothing at all.
    assert AESGCM(bytes(16)).encrypt(bytes(12), b"", None) == x("58e2fccefa7e3061367f1d57a4e7455a")
    assert len(AESGCM.generate_key(256)) == 32


@check
def chacha20_poly1305():
    # RFC 8439, 2.8.2.
    cipher = ChaCha20Poly1305(bytes(range(0x80, 0xA0)))
    nonce, other = x("070000004041424344454647"), x("50515253c0c1c2c3c4c5c6c7")
    plain = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the"
        b" future, sunscreen would be it."
    )
    secret = cipher.encrypt(nonce, plain, other)
    assert secret[:16] == x("d31a8d34648e60db7b86afbc53ef7ec2")
    assert secret[-16:] == x("1ae10b594f09e26a7e902ecbd0600691")
    assert cipher.decrypt(nonce, secret, other) == plain
    raises(InvalidTag, cipher.decrypt, nonce, secret, None)


@check
def paddings():
    for length in range(40):
        data = bytes(range(length))
        for kind in (padding.PKCS7, padding.ANSIX923):
            for step in (1, 16, 64):
                padded = through(kind(128).padder(), data, step)
                assert len(padded) % 16 == 0 and len(padded) > length
                assert through(kind(128).unpadder(), padded, step) == data
    assert through(padding.PKCS7(128).padder(), b"abc", 3) == b"abc" + b"\r" * 13
    for wrong in (b"", b"x" * 15, b"x" * 16, b"x" * 15 + b"\0", b"x" * 14 + b"\1\2"):
        raises(ValueError, through, padding.PKCS7(128).unpadder(), wrong, 16)
    raises(ValueError, padding.PKCS7, 7)


@check
def hashes_and_hmac():
    work = hashes.Hash(hashes.SHA256())
    work.update(b"a")
    copy = work.copy()
    work.update(b"bc")
    assert work.finalize() == x("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    raises(AlreadyFinalized, work.update, b"")
    copy.update(b"bc")
    assert copy.finalize()[:4] == x("ba7816bf")
    expected = (
        (hashes.MD5(), "900150983cd24fb0d6963f7d28e17f72"),
        (hashes.SHA1(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (hashes.SHA512(), "ddaf35a193617abacc417349ae204131"),
        (hashes.SHA3_256(), "3a985da74fe225b2045c172d6bd390bd"),
        (hashes.BLAKE2b(64), "ba80a53f981c4d0d6a2797b69f12f6e9"),
    )
    for algorithm, start in expected:
        work = hashes.Hash(algorithm)
        work.update(b"abc")
        digest = work.finalize()
        assert digest.hex().startswith(start) and len(digest) == algorithm.digest_size
    assert hashes.SHA256.name == "sha256" and hashes.SHA3_256.name == "sha3-256"
    # RFC 4231, case 2.
    work = hmac.HMAC(b"Jefe", hashes.SHA256())
    work.update(b"what do ya want ")
    work.update(b"for nothing?")
    expected = x("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    work.copy().verify(expected)
    raises(InvalidSignature, work.copy().verify, bytes(32))
    assert work.finalize() == expected
    assert constant_time.bytes_eq(b"a", b"a") and not constant_time.bytes_eq(b"a", b"b")


@check
def key_derivation():
    derived = PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 4096, default_backend())
    expected = x("c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a")
    assert derived.derive(b"password") == expected
    raises(AlreadyFinalized, derived.derive, b"password")
    PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=b"salt", iterations=4096).verify(
        b"password", expected
    )
    raises(InvalidKey, PBKDF2HMAC(hashes.SHA256(), 32, b"salt", 4096).verify, b"other", expected)
    # RFC 5869, case 1.
    derived = HKDF(hashes.SHA256(), 42, bytes(range(13)), bytes(range(0xF0, 0xFA)))
    assert derived.derive(b"\x0b" * 22) == x(
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    # RFC 5869, case 3.
    assert HKDF(hashes.SHA256(), 42, None, b"").derive(b"\x0b" * 22) == x(
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )
    # RFC 7914, 12.
    assert Scrypt(b"NaCl", 64, 1024, 8, 16).derive(b"password")[:16] == x(
        "fdbabe1c9d3472007856e7190d01e9fe"
    )


@check
def curve_x25519():
    # RFC 7748, 6.1.
    bob = x25519.X25519PrivateKey.from_private_bytes(
        x("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    )
    assert bob.public_key().public_bytes_raw() == x(
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    )
    alice = x25519.X25519PublicKey.from_public_bytes(
        x("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    )
    assert bob.exchange(alice) == x(
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    )
    carol = x25519.X25519PrivateKey.generate()
    point = x25519.X25519PublicKey.from_public_bytes(
        carol.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    )
    assert bob.exchange(point) == carol.exchange(bob.public_key())
    raises(ValueError, bob.exchange, x25519.X25519PublicKey.from_public_bytes(bytes(32)))
    raises(ValueError, x25519.X25519PublicKey.from_public_bytes, b"short")
    assert x25519.X25519PrivateKey.generate().private_bytes_raw() != bytes(32)


@check
def curve_ed25519():
    # RFC 8032, 7.1, test 2.
    key = ed25519.Ed25519PrivateKey.from_private_bytes(
        x("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    signature = x(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    public = key.public_key()
    assert public.public_bytes_raw() == x(
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    )
    assert key.sign(b"\x72") == signature
    public.verify(signature, b"\x72")
    raises(InvalidSignature, public.verify, signature, b"\x73")
    raises(InvalidSignature, public.verify, b"short", b"\x72")


@check
def written_keys():
    none = serialization.NoEncryption()
    for key in (ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()):
        for encoding, private, public in (
            (
                serialization.Encoding.PEM,
                serialization.load_pem_private_key,
                serialization.load_pem_public_key,
            ),
            (
                serialization.Encoding.DER,
                serialization.load_der_private_key,
                serialization.load_der_public_key,
            ),
        ):
            data = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none)
            again = private(data, None)
            assert type(again) is type(key)
            assert again.private_bytes_raw() == key.private_bytes_raw()
            data = key.public_key().public_bytes(
                encoding, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            assert public(data) == key.public_key()
    raises(ValueError, serialization.load_pem_private_key, b"nonsense", None)
    # RFC 8410, 10.3.
    key = serialization.load_pem_private_key(
        b"-----BEGIN PRIVATE KEY-----\n"
        b"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        b"-----END PRIVATE KEY-----\n",
        None,
    )
    assert key.public_key().public_bytes_raw() == x(
        "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
    )


@check
def fernet():
    # The vectors of Fernet's specification.
    key = b"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
    token = (
        b"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7Jcbmr"
        b"R64jVmpU4IwqDA=="
    )
    cipher = Fernet(key)
    assert cipher.decrypt_at_time(token, 60, 499162801) == b"hello"
    assert cipher.decrypt(token) == b"hello" == cipher.decrypt(token.decode())
    assert cipher.extract_timestamp(token) == 499162800
    raises(InvalidToken, cipher.decrypt_at_time, token, 60, 499162861)
    raises(InvalidToken, cipher.decrypt_at_time, token, 60, 499162700)
    raises(InvalidToken, cipher.decrypt, token, 60)
    for wrong in (b"", b"nonsense", token[:-4], token[:40] + b"AAAA" + token[44:]):
        raises(InvalidToken, cipher.decrypt, wrong)
    other = Fernet(Fernet.generate_key())
    raises(InvalidToken, other.decrypt, token)
    assert other.decrypt(other.encrypt(b"x" * 1000), ttl=60) == b"x" * 1000
    both = MultiFernet([other, cipher])
    assert both.decrypt(token) == b"hello"
    rotated = both.rotate(token)
    assert other.decrypt(rotated) == b"hello" and other.extract_timestamp(rotated) == 499162800
    raises(ValueError, Fernet, b"short")


if __name__ == "__main__":
    for function in CHECKS:
        function()
        print("ok", function.__name__)
