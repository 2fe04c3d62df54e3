"""DES3: not part of this runtime."""


def new(*args, **kwargs):
    raise NotImplementedError("DES3 is not part of this hub, which has AES")
