"""Hashes, ciphers, keys."""
