"""Hashes, over ``hashlib``."""
