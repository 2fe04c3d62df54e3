"""ChaCha20: not part of this runtime."""


def new(*args, **kwargs):
    raise NotImplementedError("ChaCha20 is not part of this hub, which has AES")
