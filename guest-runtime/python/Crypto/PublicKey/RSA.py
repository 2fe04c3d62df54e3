"""RSA: not part of this runtime."""


def _refused(*args, **kwargs):
    raise NotImplementedError("RSA is not part of this hub")


generate = construct = import_key = importKey = _refused
