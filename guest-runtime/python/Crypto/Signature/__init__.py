"""Signatures: RSA with both paddings, and ECDSA."""
