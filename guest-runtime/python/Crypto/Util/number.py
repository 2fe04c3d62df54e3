"""Numbers as bytes."""


def long_to_bytes(n, blocksize=0):
    data = n.to_bytes((n.bit_length() + 7) // 8 or 1, "big")
    if blocksize and len(data) % blocksize:
        data = bytes(blocksize - len(data) % blocksize) + data
    return data


def bytes_to_long(s):
    return int.from_bytes(s, "big")
