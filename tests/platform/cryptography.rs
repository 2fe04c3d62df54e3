//! Packages `cryptography` and `Crypto` against published vectors, and `openssl`.

use std::process::Command;

use crate::support::{Bench, PluginText};

const VECTORS: &str = include_str!("programs/cryptography_vectors.py");

/// Runs each of `CHECKS` and says how it went.
const RUN: &str = r#"
def onStart():
    import traceback
    for function in CHECKS:
        try:
            function()
        except BaseException:
            Domoticz.Error(function.__name__ + ": " + traceback.format_exc())
            Domoticz.Log("failed " + function.__name__)
        else:
            Domoticz.Log("passed " + function.__name__)
    Domoticz.Log("%d checks ended." % len(CHECKS))
"#;

/// Starts a plugin with this source, which ends in a list `CHECKS`, and waits until all passed.
pub async fn run(source: &str) -> Bench {
    let mut bench = Bench::new();
    let source = format!("{source}\n{RUN}");
    bench
        .start(PluginText {
            name: "Crypto",
            source: &source,
            config: "",
        })
        .await;
    bench.line("checks ended.").await;
    bench.drain();
    let failed = bench.seen_line("failed ");
    assert!(failed.is_none(), "{}", bench.transcript());
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn cryptography_computes_what_was_published() {
    let checks = VECTORS.matches("@check").count();
    let source = VECTORS.replace("__name__ == \"__main__\"", "False");
    let bench = run(&source).await;
    let line = format!("{checks} checks ended.");
    assert!(bench.seen_line(&line).is_some(), "{}", bench.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cryptography_lacks_is_named() {
    run(r#"
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dh, dsa, ec, ed448, x448
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

def refused():
    calls = {
        "DSA": lambda: dsa.generate_private_key(2048),
        "Diffie-Hellman": lambda: dh.generate_parameters(2, 2048),
        "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
        "revoked": lambda: x509.load_pem_x509_crl(b""),
        "3DES": lambda: Cipher(algorithms.TripleDES(b"x" * 24), modes.ECB()),
        "XTS": lambda: Cipher(algorithms.AES(b"x" * 32), modes.XTS(b"x" * 16)),
        "AESCCM": lambda: AESCCM(b"x" * 16),
        "X448": x448.X448PrivateKey.generate,
    }
    for what, call in calls.items():
        try:
            call()
        except UnsupportedAlgorithm as error:
            assert what in str(error) and "of this hub" in str(error), error
        else:
            raise AssertionError(what)

CHECKS = [refused]
"#)
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_accepts_the_signature_of_a_plugin() {
    let bench = run(r#"
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

def sign():
    key = Ed25519PrivateKey.generate()
    written = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with open("/data/public.pem", "wb") as file: file.write(written)
    with open("/data/signature", "wb") as file: file.write(key.sign(b"signed by a plugin"))

CHECKS = [sign]
"#)
    .await;
    let folder = bench.data_folder().join("plugins").join("1");
    std::fs::write(folder.join("text"), "signed by a plugin").unwrap();
    let checked = Command::new("openssl")
        .args([
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "public.pem",
            "-rawin",
        ])
        .args(["-in", "text", "-sigfile", "signature"])
        .current_dir(&folder)
        .output()
        .expect("install openssl");
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pycryptodome_has_the_same_aes() {
    run(r#"
from Crypto.Cipher import AES, DES3
from Crypto.Hash import HMAC, SHA256
from Crypto.Protocol.KDF import PBKDF2
from Crypto.Random import get_random_bytes
from Crypto.Util import Counter
from Crypto.Util.Padding import pad, unpad

x = bytes.fromhex
KEY = x("2b7e151628aed2a6abf7158809cf4f3c")
PLAIN = x("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
VECTOR = x("000102030405060708090a0b0c0d0e0f")

def raises(kind, call, *arguments):
    try: call(*arguments)
    except kind: return
    raise AssertionError(kind)

def modes():
    for make, expected in (
        (lambda: AES.new(KEY, AES.MODE_ECB), "3ad77bb40d7a3660a89ecaf32466ef97"),
        (lambda: AES.new(KEY, AES.MODE_CBC, VECTOR), "7649abac8119b246cee98e9b12e9197d"),
        (lambda: AES.new(KEY, AES.MODE_CBC, iv=VECTOR), "7649abac8119b246cee98e9b12e9197d"),
        (lambda: AES.new(KEY, AES.MODE_CFB, VECTOR), "3b79424c9c0dd436bace9e0ed4586a4f32b9"),
        (lambda: AES.new(KEY, AES.MODE_CFB, VECTOR, segment_size=128), "3b3fd92eb72dad20333449f8e83cfb4a"),
        (lambda: AES.new(KEY, AES.MODE_OFB, VECTOR), "3b3fd92eb72dad20333449f8e83cfb4a"),
        (lambda: AES.new(KEY, AES.MODE_CTR, nonce=b"", initial_value=x("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")), "874d6191b620e3261bef6864990db6ce"),
        (lambda: AES.new(KEY, AES.MODE_CTR, counter=Counter.new(128, initial_value=0xf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff)), "874d6191b620e3261bef6864990db6ce"),
    ):
        secret = make().encrypt(PLAIN)
        assert secret.hex().startswith(expected), secret.hex()
        assert make().decrypt(secret) == PLAIN
    cipher = AES.new(KEY, AES.MODE_CBC)
    raises(ValueError, cipher.encrypt, b"short")
    secret = cipher.encrypt(pad(b"hello", 16))
    raises(TypeError, cipher.decrypt, secret)
    assert unpad(AES.new(KEY, AES.MODE_CBC, cipher.iv).decrypt(secret), 16) == b"hello"
    raises(ValueError, unpad, b"x" * 16, 16)
    raises(ValueError, AES.new, b"short", AES.MODE_ECB)
    raises(NotImplementedError, AES.new, KEY, AES.MODE_EAX)
    raises(NotImplementedError, DES3.new, KEY, 1)

def gcm():
    key = x("feffe9928665731c6d6a8f9467308308")
    plain = x("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    other = x("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    cipher = AES.new(key, AES.MODE_GCM, nonce=x("cafebabefacedbaddecaf888"))
    cipher.update(other)
    secret, tag = cipher.encrypt_and_digest(plain)
    assert tag == x("5bc94fbc3221a5db94fae95ae7121a47"), tag.hex()
    for wrong in (False, True):
        cipher = AES.new(key, AES.MODE_GCM, nonce=x("cafebabefacedbaddecaf888"))
        cipher.update(b"" if wrong else other)
        if wrong: raises(ValueError, cipher.decrypt_and_verify, secret, tag)
        else: assert cipher.decrypt_and_verify(secret, tag) == plain
    assert len(AES.new(key, AES.MODE_GCM).nonce) == 16

def others():
    assert PBKDF2(b"password", b"salt", 32, 4096, hmac_hash_module=SHA256) == x("c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a")
    assert HMAC.new(b"Jefe", b"what do ya want for nothing?", SHA256).hexdigest()[:8] == "5bdcc146"
    assert len(get_random_bytes(20)) == 20

CHECKS = [modes, gcm, others]
"#)
    .await;
}
