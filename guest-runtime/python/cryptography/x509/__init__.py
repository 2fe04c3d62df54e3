"""Certificates: reading and making them.

Whether a chain of certificates is to be trusted is not decided here: module ``ssl`` asks the
hub. ``verify_directly_issued_by`` and ``is_signature_valid`` check one signature.
"""

from cryptography.hazmat._oid import (  # noqa: F401
    ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier, SignatureAlgorithmOID,
)
from cryptography.utils import unsupported
from cryptography.x509.builder import (  # noqa: F401
    CertificateBuilder, CertificateSigningRequestBuilder, random_serial_number,
)
from cryptography.x509.certificate import (  # noqa: F401
    Certificate, CertificateSigningRequest, InvalidVersion, Version, load_der_x509_certificate,
    load_der_x509_csr, load_pem_x509_certificate, load_pem_x509_certificates, load_pem_x509_csr,
)
from cryptography.x509.extensions import (  # noqa: F401
    AuthorityKeyIdentifier, BasicConstraints, DuplicateExtension, ExtendedKeyUsage, Extension,
    ExtensionNotFound, Extensions, ExtensionType, GeneralNames, IssuerAlternativeName, KeyUsage,
    SubjectAlternativeName, SubjectKeyIdentifier, UnrecognizedExtension,
)
from cryptography.x509.general_name import (  # noqa: F401
    DirectoryName, DNSName, GeneralName, IPAddress, OtherName, RegisteredID, RFC822Name,
    UniformResourceIdentifier, UnsupportedGeneralNameType,
)
from cryptography.x509.name import (  # noqa: F401
    Name, NameAttribute, RelativeDistinguishedName,
)


def _refused(*args, **kwargs):
    raise unsupported("a list of revoked certificates")


load_pem_x509_crl = load_der_x509_crl = CertificateRevocationListBuilder = _refused
