"""SHA256."""

import hashlib

digest_size = hashlib.sha256().digest_size
block_size = hashlib.sha256().block_size
hashlib_name = "sha256"


def new(data=b""):
    return hashlib.sha256(data)
