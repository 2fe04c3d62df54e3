"""Certificates are not read or made here. Module ``ssl`` verifies and shows them."""

from cryptography.utils import unsupported


def _refused(*args, **kwargs):
    raise unsupported("X.509 (module `ssl` verifies certificates, and `getpeercert` shows them)")


load_pem_x509_certificate = load_der_x509_certificate = load_pem_x509_certificates = _refused
load_pem_x509_csr = load_der_x509_csr = load_pem_x509_crl = load_der_x509_crl = _refused
CertificateBuilder = CertificateSigningRequestBuilder = Name = NameAttribute = _refused
random_serial_number = SubjectAlternativeName = DNSName = IPAddress = BasicConstraints = _refused
