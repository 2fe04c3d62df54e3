"""The part of package ``cryptography`` that plugins use, over crates in the runtime.

The original is made of native code, which no plugin can bring. What is here behaves
as the original of the version below; what is not raises ``UnsupportedAlgorithm`` and
says what is missing. AES, ChaCha20-Poly1305, hashes, HMAC, key derivation, X25519,
Ed25519, Fernet and their serialization exist; RSA, other curves and X.509 do not.
"""

__version__ = "43.0.3"
__author__ = "Cordon"
__copyright__ = "MIT OR Apache-2.0"
