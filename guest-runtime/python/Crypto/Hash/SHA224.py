"""SHA224."""

import hashlib

digest_size = hashlib.sha224().digest_size
block_size = hashlib.sha224().block_size
hashlib_name = "sha224"


def new(data=b""):
    return hashlib.sha224(data)
