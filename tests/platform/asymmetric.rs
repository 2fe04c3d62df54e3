//! RSA, the curves of NIST and X.509 in packages `cryptography` and `Crypto`: published vectors,
//! limits, and `openssl` on the other side.

use std::path::Path;
use std::process::{Command, Output};

use crate::cryptography::run;

const KEYS: &str = include_str!("programs/cryptography_keys.py");
const CERTIFICATES: &str = include_str!("programs/cryptography_x509.py");
const CRYPTO: &str = include_str!("programs/crypto_keys.py");

/// Runs the checks of a program and makes sure that none is left out.
async fn run_program(program: &str) {
    let checks = program.matches("@check\n").count();
    assert!(checks > 1);
    let source = program.replace("__name__ == \"__main__\"", "False");
    let bench = run(&source).await;
    let line = format!("{checks} checks ended.");
    assert!(bench.seen_line(&line).is_some(), "{}", bench.transcript());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_compute_what_was_published() {
    run_program(KEYS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_read_and_made() {
    run_program(CERTIFICATES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_have_a_longest_length() {
    run(r#"
from Crypto.PublicKey import RSA
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
import _cordon_keys

def refused(call, *arguments):
    try:
        call(*arguments)
    except ValueError as error:
        assert "more than 8192 bits" in str(error), error
    else:
        raise AssertionError("not refused")

def limits():
    refused(rsa.generate_private_key, 65537, 8193)
    refused(rsa.generate_private_key, 65537, 1 << 70)
    refused(RSA.generate, 16384)
    long = (1 << 8192) + 1
    refused(rsa.RSAPublicNumbers(65537, long).public_key)
    refused(RSA.construct, (long, 65537))
    refused(RSA.construct, (long, 65537, 3))
    refused(rsa.rsa_recover_prime_factors, long, 65537, 3)
    refused(rsa.RSAPrivateNumbers(3, 5, 7, 1, 1, 1, rsa.RSAPublicNumbers(3, long)).private_key)
    refused(serialization.load_der_public_key, _cordon_keys.spki(("rsa", long, 65537)))
    rsa.RSAPublicNumbers(65537, (1 << 8191) + 1).public_key()
    try:
        rsa.RSAPublicNumbers(65537, 1 << 1023).public_key()
    except ValueError as error:
        assert "modulus" in str(error), error
    else:
        raise AssertionError("an even modulus")
    try:
        serialization.load_der_public_key(b"0" * 70000)
    except ValueError as error:
        assert "65536 bytes" in str(error), error
    else:
        raise AssertionError("a long key")
    try:
        x509.load_der_x509_certificate(b"0" * 140000)
    except ValueError as error:
        assert "131072 bytes" in str(error), error
    else:
        raise AssertionError("a long certificate")

CHECKS = [limits]
"#)
    .await;
}

/// Runs `openssl` in a folder with these arguments, blanks between them.
fn try_openssl(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("install openssl")
}

fn openssl(folder: &Path, arguments: &str) -> String {
    let done = try_openssl(folder, arguments);
    assert!(done.status.success(), "{arguments}: {done:?}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn crypto_takes_what_openssl_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("message"), "signed by openssl").unwrap();
    std::fs::write(at.join("secret"), "to the plugin").unwrap();
    for arguments in [
        "genrsa -traditional -out rsa 2048",
        "pkey -in rsa -pubout -out rsa_public",
        "pkcs8 -topk8 -in rsa -v2 aes-256-cbc -passout pass:secret -out rsa_encrypted",
        "ecparam -name prime256v1 -genkey -noout -out ec",
        "pkey -in ec -pubout -out ec_public",
        "dgst -sha256 -sign rsa -out pkcs1 message",
        "dgst -sha256 -sign rsa -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -out pss message",
        "dgst -sha256 -sign ec -out ecdsa message",
        "pkeyutl -encrypt -inkey rsa -in secret -out encrypted_pkcs1",
        "pkeyutl -encrypt -inkey rsa -pkeyopt rsa_padding_mode:oaep -in secret -out oaep",
    ] {
        openssl(at, arguments);
    }
    let mut fixtures = String::from("FIXTURES = {\n");
    for name in ["rsa", "rsa_public", "rsa_encrypted", "ec", "ec_public"] {
        let text = std::fs::read_to_string(at.join(name)).unwrap();
        let name = name.replace('_', " ");
        fixtures.push_str(&format!("    \"{name}\": \"\"\"{text}\"\"\",\n"));
    }
    for name in ["pkcs1", "pss", "ecdsa", "encrypted_pkcs1", "oaep"] {
        let octets = std::fs::read(at.join(name)).unwrap();
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let name = name.replace('_', " ");
        fixtures.push_str(&format!("    \"{name}\": bytes.fromhex(\"{hex}\"),\n"));
    }
    run_program(&format!(
        "{CRYPTO}\n{fixtures}}}\nopenssl_made = FIXTURES.get\n"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_takes_what_a_plugin_made() {
    let bench = run(r#"
import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM

def keep(name, data):
    with open("/data/" + name, "wb") as file: file.write(data)

def private(key, form=serialization.PrivateFormat.PKCS8, password=None):
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, form, encryption)

def public(key):
    return key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

def signatures():
    keep("message", b"signed by a plugin")
    key = rsa.generate_private_key(65537, 2048)
    keep("rsa", private(key, password=b"pass"))
    keep("rsa_old", private(key, serialization.PrivateFormat.TraditionalOpenSSL))
    keep("rsa_public", public(key))
    mask = padding.MGF1(hashes.SHA256())
    keep("pkcs1", key.sign(b"signed by a plugin", padding.PKCS1v15(), hashes.SHA256()))
    keep("pss", key.sign(b"signed by a plugin", padding.PSS(mask, 32), hashes.SHA256()))
    keep("encrypted", key.public_key().encrypt(b"hello openssl", padding.PKCS1v15()))
    keep("oaep", key.public_key().encrypt(b"hello openssl", padding.OAEP(mask, hashes.SHA256(), None)))
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        pair = ec.generate_private_key(curve)
        keep(curve.name, private(pair))
        keep(curve.name + "_old", private(pair, serialization.PrivateFormat.TraditionalOpenSSL))
        keep(curve.name + "_public", public(pair))
        keep(curve.name + "_signature", pair.sign(b"signed by a plugin", ec.ECDSA(hashes.SHA384())))

def certificates():
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    def made(subject, issuer, key, signer, algorithm, ca):
        return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=10))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("device.example")]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
            .sign(signer, algorithm).public_bytes(PEM))
    for kind, signer, algorithm in (
        ("rsa", rsa.generate_private_key(65537, 2048), hashes.SHA256()),
        ("ec", ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
        ("ed", ed25519.Ed25519PrivateKey.generate(), None),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        keep(kind + "_ca", made("CA", "CA", signer, signer, algorithm, True))
        keep(kind + "_device", made("device", "CA", key, signer, algorithm, False))
        request = x509.CertificateSigningRequestBuilder().subject_name(name("device"))
        request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName("device.example")]), False)
        keep(kind + "_request", request.sign(signer, algorithm).public_bytes(PEM))

CHECKS = [signatures, certificates]
"#)
    .await;
    let folder = bench.data_folder().join("plugins").join("1");
    let verified = |arguments: &str| {
        let said = openssl(&folder, arguments);
        assert!(said.contains("Verified OK"), "{arguments}: {said}");
    };
    verified("dgst -sha256 -verify rsa_public -signature pkcs1 message");
    verified(
        "dgst -sha256 -verify rsa_public -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -signature pss message",
    );
    let wrong = "dgst -sha384 -verify rsa_public -signature pkcs1 message";
    assert!(!try_openssl(&folder, wrong).status.success());
    for arguments in [
        "pkeyutl -decrypt -inkey rsa -passin pass:pass -in encrypted",
        "pkeyutl -decrypt -inkey rsa_old -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -in oaep",
    ] {
        assert_eq!(openssl(&folder, arguments), "hello openssl");
    }
    openssl(&folder, "rsa -check -noout -in rsa_old");
    for curve in ["secp256r1", "secp384r1", "secp521r1"] {
        verified(&format!(
            "dgst -sha384 -verify {curve}_public -signature {curve}_signature message"
        ));
        for form in ["", "_old"] {
            openssl(&folder, &format!("pkey -check -noout -in {curve}{form}"));
        }
    }
    for kind in ["rsa", "ec", "ed"] {
        openssl(
            &folder,
            &format!("verify -x509_strict -check_ss_sig -CAfile {kind}_ca {kind}_device"),
        );
        let text = openssl(
            &folder,
            &format!("req -verify -noout -text -in {kind}_request"),
        );
        assert!(text.contains("DNS:device.example"), "{text}");
    }
    let wrong = try_openssl(&folder, "verify -CAfile rsa_ca ec_device");
    assert!(!wrong.status.success(), "{wrong:?}");
}
