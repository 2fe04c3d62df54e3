"""SHA384."""

import hashlib

digest_size = hashlib.sha384().digest_size
block_size = hashlib.sha384().block_size
hashlib_name = "sha384"


def new(data=b""):
    return hashlib.sha384(data)
