"""Keys in pairs: RSA, the curves of NIST, X25519 and Ed25519."""
