"""How keys are written."""

import enum


class Encoding(enum.Enum):
    PEM = "PEM"
    DER = "DER"
    OpenSSH = "OpenSSH"
    Raw = "Raw"
    X962 = "ANSI X9.62"
    SMIME = "S/MIME"


class PrivateFormat(enum.Enum):
    PKCS8 = "PKCS8"
    TraditionalOpenSSL = "TraditionalOpenSSL"
    Raw = "Raw"
    OpenSSH = "OpenSSH"
    PKCS12 = "PKCS12"


class PublicFormat(enum.Enum):
    SubjectPublicKeyInfo = "X.509 subjectPublicKeyInfo with PKCS#1"
    PKCS1 = "Raw PKCS#1"
    OpenSSH = "OpenSSH"
    Raw = "Raw"
    CompressedPoint = "X9.62 Compressed Point"
    UncompressedPoint = "X9.62 Uncompressed Point"


class ParameterFormat(enum.Enum):
    PKCS3 = "PKCS3"


class KeySerializationEncryption:
    """How a key is protected."""


class NoEncryption(KeySerializationEncryption):
    """Not at all."""


class BestAvailableEncryption(KeySerializationEncryption):
    """With a password."""

    def __init__(self, password):
        if not isinstance(password, bytes) or not password:
            raise ValueError("Password must be 1 or more bytes.")
        self.password = password
