"""MD5."""

import hashlib

digest_size = hashlib.md5().digest_size
block_size = hashlib.md5().block_size
hashlib_name = "md5"


def new(data=b""):
    return hashlib.md5(data)
