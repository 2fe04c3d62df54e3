"""Filling up to whole blocks."""


def pad(data_to_pad, block_size, style="pkcs7"):
    count = block_size - len(data_to_pad) % block_size
    if style == "pkcs7":
        filling = bytes((count,)) * count
    elif style == "x923":
        filling = bytes(count - 1) + bytes((count,))
    elif style == "iso7816":
        filling = b"\x80" + bytes(count - 1)
    else:
        raise ValueError("Unknown padding style")
    return bytes(data_to_pad) + filling


def unpad(padded_data, block_size, style="pkcs7"):
    data = bytes(padded_data)
    if not data:
        raise ValueError("Zero-length input cannot be unpadded")
    if len(data) % block_size:
        raise ValueError("Input data is not padded")
    if style in ("pkcs7", "x923"):
        count = data[-1]
        if not 1 <= count <= min(block_size, len(data)):
            raise ValueError("Padding is incorrect.")
        filler = count if style == "pkcs7" else 0
        if data[-count:-1] != bytes((filler,)) * (count - 1):
            raise ValueError("%s padding is incorrect." % ("PKCS#7", "ANSI X.923")[style == "x923"])
    elif style == "iso7816":
        count = len(data) - data.rfind(b"\x80")
        if not 1 <= count <= block_size or any(data[len(data) - count + 1:]):
            raise ValueError("Padding is incorrect.")
    else:
        raise ValueError("Unknown padding style")
    return data[:-count]
