"""Keys in pairs: X25519 and Ed25519."""
