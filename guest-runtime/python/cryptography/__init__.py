"""The part of package ``cryptography`` that plugins use, over crates in the runtime.

The original is made of native code, which no plugin can bring. What is here behaves
as the original of the version below; what is not raises ``UnsupportedAlgorithm`` and
says what is missing. AES, ChaCha20-Poly1305, hashes, HMAC, key derivation, RSA, ECDSA and
ECDH on the curves P-256, P-384 and P-521, X25519, Ed25519, their serialization, X.509
certificates and requests, and Fernet exist; other ciphers and curves, DSA, Diffie-Hellman
over numbers, lists of revoked certificates, PKCS#7 and PKCS#12 do not.
"""

__version__ = "43.0.3"
__author__ = "Cordon"
__copyright__ = "MIT OR Apache-2.0"
