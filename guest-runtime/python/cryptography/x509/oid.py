"""Object identifiers by name."""

from cryptography.hazmat._oid import (  # noqa: F401
    ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier, PublicKeyAlgorithmOID,
    SignatureAlgorithmOID,
)


def __getattr__(name):
    # The curves' identifiers stand with the curves, which need the names above.
    if name == "EllipticCurveOID":
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurveOID

        return EllipticCurveOID
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
