"""SHA512."""

import hashlib

digest_size = hashlib.sha512().digest_size
block_size = hashlib.sha512().block_size
hashlib_name = "sha512"


def new(data=b""):
    return hashlib.sha512(data)
