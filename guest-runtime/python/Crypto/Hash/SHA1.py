"""SHA1."""

import hashlib

digest_size = hashlib.sha1().digest_size
block_size = hashlib.sha1().block_size
hashlib_name = "sha1"


def new(data=b""):
    return hashlib.sha1(data)
