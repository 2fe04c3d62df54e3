"""Kinds of keys, for annotations and ``isinstance``."""

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

PrivateKeyTypes = (rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
                   | x25519.X25519PrivateKey)
PublicKeyTypes = (rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
                  | x25519.X25519PublicKey)
CertificateIssuerPrivateKeyTypes = (rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
                                    | ed25519.Ed25519PrivateKey)
CertificateIssuerPublicKeyTypes = (rsa.RSAPublicKey | ec.EllipticCurvePublicKey
                                   | ed25519.Ed25519PublicKey)
CertificatePublicKeyTypes = PublicKeyTypes
PRIVATE_KEY_TYPES, PUBLIC_KEY_TYPES = PrivateKeyTypes, PublicKeyTypes
