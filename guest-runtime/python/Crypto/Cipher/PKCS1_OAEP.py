"""PKCS1_OAEP: not part of this runtime."""


def new(*args, **kwargs):
    raise NotImplementedError("PKCS1_OAEP is not part of this hub, which has AES")
