"""X.509 of package `cryptography`: certificates that `openssl` made, and others.

Runs in the component and, with the original package, under CPython:
`python3 tests/platform/programs/cryptography_x509.py`.
"""

import datetime
import ipaddress

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

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


PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER

# An RSA key, a certificate of a key on P-256 by itself, a request of the RSA key, and its
# certificate.
RSA_PUBLIC = b"""-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDSSjY33eEWbW2C8vLQ0DZV+J7M
rQXU4kO+AGakmhtbuj91BeOAWcXluNZLnwsu0EFaOZPennH7S1RHJ4xh1dxgqL7B
+qMRyrdmfKAWrh9CK7XN44GvON14cXwvrvFQw45TtQImVgliVz7Ub6DS6+WxJuCK
2Me/U4MvtoGZl+2H9QIDAQAB
-----END PUBLIC KEY-----
"""
CA_PEM = b"""-----BEGIN CERTIFICATE-----
MIIBzzCCAXWgAwIBAgIUTsUzNuz3sPUAHR+rVDQmm2RMFRQwCgYIKoZIzj0EAwIw
NDELMAkGA1UEBhMCTkwxEDAOBgNVBAoMB0V4YW1wbGUxEzARBgNVBAMMCkV4YW1w
bGUgQ0EwIBcNMjYxMTMwMjM0NzE4WhgPMjA4MTA5MDIyMzQ3MThaMDQxCzAJBgNV
BAYTAk5MMRAwDgYDVQQKDAdFeGFtcGxlMRMwEQYDVQQDDApFeGFtcGxlIENBMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEnBlj3TFC7ZV/irlfiJf6I9Th1OE2SqR+
KykxNdoEYQGKmuBWEY/Aou71I2rHNgKnUfaoYOVdGXIU9arFiY/jUKNjMGEwHQYD
VR0OBBYEFN7k2fCd7hyWt+J+n85DFlOA7UmQMB8GA1UdIwQYMBaAFN7k2fCd7hyW
t+J+n85DFlOA7UmQMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMAoG
CCqGSM49BAMCA0gAMEUCIHScIIfSyH5FkPopV4lnKoIIufe9z/4T3iJQD4UKrL7F
AiEApRi4D4CYSU933A5MYEidi9pGbqCHhVi44GmwJyJFt9I=
-----END CERTIFICATE-----
"""
REQUEST_PEM = b"""-----BEGIN CERTIFICATE REQUEST-----
MIIBqjCCARMCAQAwGTEXMBUGA1UEAwwOZGV2aWNlLmV4YW1wbGUwgZ8wDQYJKoZI
hvcNAQEBBQADgY0AMIGJAoGBANJKNjfd4RZtbYLy8tDQNlX4nsytBdTiQ74AZqSa
G1u6P3UF44BZxeW41kufCy7QQVo5k96ecftLVEcnjGHV3GCovsH6oxHKt2Z8oBau
H0Irtc3jga843XhxfC+u8VDDjlO1AiZWCWJXPtRvoNLr5bEm4IrYx79Tgy+2gZmX
7Yf1AgMBAAGgUTBPBgkqhkiG9w0BCQ4xQjBAMB8GA1UdEQQYMBaCDmRldmljZS5l
eGFtcGxlhwTAAAIHMB0GA1UdJQQWMBQGCCsGAQUFBwMBBggrBgEFBQcDAjANBgkq
hkiG9w0BAQsFAAOBgQAGyq3PF/tymZwQOsJQw/csOaw2UtaKVVGaha91p8nU9Dth
69mNw97IaQPQiEPDeO9sB3dBdMu/VKF35OBmhWqq7vsPRx0kwnUGqYvuctyDF0E3
JvCqkly3+FHsfSNjZEPT7lyyfeLD/OGkQnDkpvvo1u87aFkSoA6+WFm05ykpMQ==
-----END CERTIFICATE REQUEST-----
"""
DEVICE_PEM = b"""-----BEGIN CERTIFICATE-----
MIICHzCCAcagAwIBAgIKEjRWeJCrze8SNDAKBggqhkjOPQQDAzA0MQswCQYDVQQG
EwJOTDEQMA4GA1UECgwHRXhhbXBsZTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0y
NjExMzAyMzQ3MjBaGA8yMDU0MDQxNzIzNDcyMFowGTEXMBUGA1UEAwwOZGV2aWNl
LmV4YW1wbGUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBANJKNjfd4RZtbYLy
8tDQNlX4nsytBdTiQ74AZqSaG1u6P3UF44BZxeW41kufCy7QQVo5k96ecftLVEcn
jGHV3GCovsH6oxHKt2Z8oBauH0Irtc3jga843XhxfC+u8VDDjlO1AiZWCWJXPtRv
oNLr5bEm4IrYx79Tgy+2gZmX7Yf1AgMBAAGjgZEwgY4wHwYDVR0RBBgwFoIOZGV2
aWNlLmV4YW1wbGWHBMAAAgcwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMC
MAwGA1UdEwEB/wQCMAAwHwYDVR0jBBgwFoAU3uTZ8J3uHJa34n6fzkMWU4DtSZAw
HQYDVR0OBBYEFBP7/fe0EeaBJjqj2xX2JRM85BX+MAoGCCqGSM49BAMDA0cAMEQC
ID7i9S3d3AnR/Kr4L1nC6Ro9h2gCNU9Fk+FqbaEFJj9jAiAsm/IeHXCsU0sUxnbs
JQPWkLibUppGn1C5f4gQSA0+mA==
-----END CERTIFICATE-----
"""


@check
def certificates_of_openssl():
    ca = x509.load_pem_x509_certificate(CA_PEM)
    device = x509.load_pem_x509_certificate(DEVICE_PEM)
    assert ca.version is x509.Version.v3 and ca.public_bytes(PEM) == CA_PEM
    assert device.serial_number == 0x1234567890ABCDEF1234
    assert device.fingerprint(hashes.SHA256()) == x(
        "e5b2f682652edfdeb22f86b989072370a03f1f5d5ac2b1e4cd07b235b809d96a"
    )
    assert ca.subject.rfc4514_string() == "CN=Example CA,O=Example,C=NL"
    assert ca.subject == ca.issuer == device.issuer != device.subject
    [name] = device.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "device.example"
    assert device.public_key() == serialization.load_pem_public_key(RSA_PUBLIC)
    assert ca.signature_hash_algorithm.name == "sha256"
    assert device.signature_hash_algorithm.name == "sha384"
    assert device.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.3"
    length = device.not_valid_after_utc - device.not_valid_before_utc
    assert length == datetime.timedelta(days=10000)
    assert ca.not_valid_after_utc.year > 2050 > ca.not_valid_before_utc.year
    found = device.extensions
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["device.example"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("192.0.2.7")]
    basic = found.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    assert basic.critical and not basic.value.ca and basic.value.path_length is None
    usage = found.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    usage = ca.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.key_cert_sign and usage.value.crl_sign
    assert not usage.value.digital_signature
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert own == x509.SubjectKeyIdentifier.from_public_key(ca.public_key())
    issuer = found.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuer.key_identifier == own.digest
    raises(x509.ExtensionNotFound, found.get_extension_for_class, x509.KeyUsage)
    device.verify_directly_issued_by(ca)
    ca.verify_directly_issued_by(ca)
    raises(ValueError, ca.verify_directly_issued_by, device)
    ca.public_key().verify(
        device.signature, device.tbs_certificate_bytes, ec.ECDSA(device.signature_hash_algorithm)
    )
    assert len(x509.load_pem_x509_certificates(CA_PEM + DEVICE_PEM)) == 2
    der = device.public_bytes(DER)
    assert x509.load_der_x509_certificate(der) == device
    changed = der.replace(b"device.example", b"devicf.example")
    raises(InvalidSignature, x509.load_der_x509_certificate(changed).verify_directly_issued_by, ca)
    for wrong in (der[:-1], der + b"\0", b"", b"0\0"):
        raises(ValueError, x509.load_der_x509_certificate, wrong)
    raises(ValueError, x509.load_pem_x509_certificate, RSA_PUBLIC)
    request = x509.load_pem_x509_csr(REQUEST_PEM)
    assert request.is_signature_valid and request.public_key() == device.public_key()
    assert request.subject == device.subject
    asked = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert asked.value == names


def names(common):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


@check
def certificates_that_are_made():
    pair = rsa.generate_private_key(65537, 1024)
    before = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    after = datetime.datetime(2050, 1, 1)
    for key, algorithm in (
        (pair, hashes.SHA256()),
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
        (ed25519.Ed25519PrivateKey.generate(), None),
    ):
        public = key.public_key()
        extensions = (
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (x509.KeyUsage(True, False, True, False, True, True, False, False, True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            (
                x509.SubjectAlternativeName(
                    [
                        x509.DNSName("hub.example"),
                        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
                        x509.RFC822Name("me@example.com"),
                        x509.UniformResourceIdentifier("https://example.com/"),
                        x509.DirectoryName(names("Ünï, code")),
                        x509.RegisteredID(x509.ObjectIdentifier("1.2.840.113549")),
                        x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\1x"),
                    ]
                ),
                False,
            ),
            (x509.SubjectKeyIdentifier.from_public_key(public), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.1"), b"\5\0"), False),
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(names("Ünï, code"))
            .issuer_name(names("Ünï, code"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(before)
        )
        raises(ValueError, builder.sign, key, algorithm)
        builder = builder.not_valid_after(after)
        request = x509.CertificateSigningRequestBuilder().subject_name(names("Ünï, code"))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
            request = request.add_extension(extension, critical)
        raises(ValueError, builder.add_extension, extensions[0][0], True)
        made = builder.sign(key, algorithm)
        again = x509.load_pem_x509_certificate(made.public_bytes(PEM))
        assert again == made and again.subject.rfc4514_string() == "CN=Ünï\\, code,C=NL"
        assert again.not_valid_before_utc == before
        assert again.not_valid_after_utc.replace(tzinfo=None) == after
        again.verify_directly_issued_by(again)
        asked = x509.load_der_x509_csr(request.sign(key, algorithm).public_bytes(DER))
        assert asked.is_signature_valid and asked.public_key() == public
        for written in (again, asked):
            assert [(one.value, one.critical) for one in written.extensions] == list(extensions)
    raises(ValueError, builder.sign, key, hashes.SHA256())
    raises(TypeError, builder.sign, pair, None)
    raises(ValueError, builder.subject_name, names("again"))
    raises(ValueError, x509.CertificateBuilder().serial_number, 0)
    raises(ValueError, x509.CertificateBuilder().serial_number, 1 << 159)
    raises(ValueError, x509.NameAttribute, NameOID.COUNTRY_NAME, "NLD")
    raises(ValueError, x509.BasicConstraints, False, 1)
    raises(ValueError, x509.DNSName, "ünï.example")
    raises(ValueError, x509.ObjectIdentifier, "1.x")
    assert 0 < x509.random_serial_number() < 1 << 159


if __name__ == "__main__":
    for function in CHECKS:
        function()
        print("passed", function.__name__)
