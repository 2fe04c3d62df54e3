"""Modes of operation by name."""

from cryptography.utils import check_byteslike


class Mode:
    """What the modes have in common."""

    name = None


class _WithVector(Mode):
    def __init__(self, initialization_vector):
        check_byteslike("initialization_vector", initialization_vector)
        self._vector = bytes(initialization_vector)

    initialization_vector = property(lambda self: self._vector)

    def start(self):
        """What the cipher starts with; raises for a wrong length."""
        if len(self._vector) != 16:
            raise ValueError("Invalid IV size (%d) for %s." % (len(self._vector), self.name))
        return self._vector


class CBC(_WithVector):
    name = "CBC"


class CFB(_WithVector):
    name = "CFB"


class CFB8(_WithVector):
    name = "CFB8"


class OFB(_WithVector):
    name = "OFB"


class ECB(Mode):
    name = "ECB"

    def start(self):
        return b""


class CTR(Mode):
    name = "CTR"

    def __init__(self, nonce):
        check_byteslike("nonce", nonce)
        self._nonce = bytes(nonce)

    nonce = property(lambda self: self._nonce)

    def start(self):
        if len(self._nonce) != 16:
            raise ValueError("Invalid nonce size (%d) for CTR." % len(self._nonce))
        return self._nonce


class GCM(Mode):
    name = "GCM"

    def __init__(self, initialization_vector, tag=None, min_tag_length=16):
        check_byteslike("initialization_vector", initialization_vector)
        if not 8 <= len(initialization_vector) <= 128:
            raise ValueError("initialization_vector must be between 8 and 128 bytes long (64 and"
                             " 1024 bits).")
        if min_tag_length < 4:
            raise ValueError("min_tag_length must be >= 4")
        if tag is not None and len(tag) < min_tag_length:
            raise ValueError("Authentication tag must be %d bytes or longer." % min_tag_length)
        self._vector, self._tag = bytes(initialization_vector), tag
        self._min_tag_length = min_tag_length

    initialization_vector = property(lambda self: self._vector)
    tag = property(lambda self: self._tag)

    def start(self):
        return self._vector


class XTS(Mode):
    name = "XTS"

    def __init__(self, tweak):
        self.tweak = tweak
