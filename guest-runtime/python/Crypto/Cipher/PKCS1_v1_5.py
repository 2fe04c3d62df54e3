"""PKCS1_v1_5: not part of this runtime."""


def new(*args, **kwargs):
    raise NotImplementedError("PKCS1_v1_5 is not part of this hub, which has AES")
