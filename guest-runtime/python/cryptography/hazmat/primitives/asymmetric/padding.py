"""Paddings of RSA, which is not part of this runtime; the use of a key is refused."""


class AsymmetricPadding:
    """What the paddings have in common."""

    def __init__(self, *args, **kwargs):
        """Whatever it is made with: no key takes it."""


class PKCS1v15(AsymmetricPadding):
    name = "EMSA-PKCS1-v1_5"


class PSS(AsymmetricPadding):
    name = "EMSA-PSS"
    MAX_LENGTH = object()
    AUTO = object()
    DIGEST_LENGTH = object()


class OAEP(AsymmetricPadding):
    name = "EME-OAEP"


class MGF1:
    def __init__(self, algorithm):
        self._algorithm = algorithm
