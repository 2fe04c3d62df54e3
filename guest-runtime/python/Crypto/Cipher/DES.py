"""DES: not part of this runtime."""


def new(*args, **kwargs):
    raise NotImplementedError("DES is not part of this hub, which has AES")
