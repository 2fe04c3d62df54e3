"""Key derivation."""
