"""Elliptic curves of NIST: P-256, P-384 and P-521 for ECDSA and ECDH."""

import os

import _cordon_asymmetric
import _cordon_keys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat._oid import ObjectIdentifier
from cryptography.hazmat.primitives._forms import private_written, public_written
from cryptography.hazmat.primitives._serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, decode_dss_signature, digest_of, encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import HashAlgorithm, hashlib_name
from cryptography.utils import check_byteslike, unsupported

# The hash from which a nonce is derived where randomness goes into it as well.
_NONCE_HASHES = {256: "sha256", 384: "sha384", 521: "sha512"}


class EllipticCurveOID:
    SECP192R1 = ObjectIdentifier("1.2.840.10045.3.1.1")
    SECP224R1 = ObjectIdentifier("1.3.132.0.33")
    SECP256K1 = ObjectIdentifier("1.3.132.0.10")
    SECP256R1 = ObjectIdentifier("1.2.840.10045.3.1.7")
    SECP384R1 = ObjectIdentifier("1.3.132.0.34")
    SECP521R1 = ObjectIdentifier("1.3.132.0.35")


class EllipticCurve:
    """What the curves have in common."""

    name = None
    key_size = None


class SECP192R1(EllipticCurve):
    name, key_size = "secp192r1", 192


class SECP224R1(EllipticCurve):
    name, key_size = "secp224r1", 224


class SECP256R1(EllipticCurve):
    name, key_size = "secp256r1", 256


class SECP384R1(EllipticCurve):
    name, key_size = "secp384r1", 384


class SECP521R1(EllipticCurve):
    name, key_size = "secp521r1", 521


class SECP256K1(EllipticCurve):
    name, key_size = "secp256k1", 256


class BrainpoolP256R1(EllipticCurve):
    name, key_size = "brainpoolP256r1", 256


_HERE = {256: SECP256R1, 384: SECP384R1, 521: SECP521R1}


def curve_of_bits(bits):
    return _HERE[bits]()


def get_curve_for_oid(oid):
    """The class of the curve with this identifier."""
    for name, known in vars(EllipticCurveOID).items():
        if known == oid:
            return globals()[name]
    raise LookupError("The provided object identifier has no matching elliptic curve class")


def _bits(curve):
    if not isinstance(curve, EllipticCurve):
        raise TypeError("curve must be an EllipticCurve instance")
    if not isinstance(curve, tuple(_HERE.values())):
        raise unsupported("the elliptic curve %s" % curve.name)
    return curve.key_size


class EllipticCurveSignatureAlgorithm:
    """How a key of a curve signs."""


class ECDSA(EllipticCurveSignatureAlgorithm):
    def __init__(self, algorithm, deterministic_signing=False):
        if not isinstance(algorithm, (HashAlgorithm, Prehashed)):
            raise TypeError("Expected instance of hashes.HashAlgorithm.")
        self._algorithm, self._deterministic = algorithm, deterministic_signing

    algorithm = property(lambda self: self._algorithm)
    deterministic_signing = property(lambda self: self._deterministic)


class ECDH:
    """How two sides agree on a secret."""


class EllipticCurvePublicKey:
    """The public half of a pair. Functions make it, not the class."""

    def __init__(self, bits, point):
        whole = _cordon_asymmetric.nist_point(bits, point)
        if whole is None:
            raise ValueError("Invalid EC key: the point is not on the curve.")
        self._bits, self._point = bits, whole

    @classmethod
    def from_encoded_point(cls, curve, data):
        check_byteslike("data", data)
        bits = _bits(curve)
        if not data:
            raise ValueError("data must not be an empty byte string")
        if data[0] not in (2, 3, 4):
            raise ValueError("Unsupported elliptic curve point type")
        return cls(bits, data)

    curve = property(lambda self: curve_of_bits(self._bits))
    key_size = property(lambda self: self._bits)

    def public_numbers(self):
        size = _cordon_keys.curve_octets(self._bits)
        x, y = self._point[1:1 + size], self._point[1 + size:]
        return EllipticCurvePublicNumbers(
            int.from_bytes(x, "big"), int.from_bytes(y, "big"), self.curve)

    def verify(self, signature, data, signature_algorithm):
        if not isinstance(signature_algorithm, ECDSA):
            raise unsupported("a signature of a curve other than ECDSA")
        digest, _ = digest_of(data, signature_algorithm.algorithm)
        size = _cordon_keys.curve_octets(self._bits)
        try:
            numbers = b"".join(
                number.to_bytes(size, "big") for number in decode_dss_signature(signature))
        except (ValueError, OverflowError):
            raise InvalidSignature from None
        if not _cordon_asymmetric.nist_verify(self._bits, self._point, digest, numbers):
            raise InvalidSignature

    def _form(self):
        return "ec", self._bits, self._point

    def public_bytes(self, encoding, format):
        points = (PublicFormat.CompressedPoint, PublicFormat.UncompressedPoint)
        if encoding is not Encoding.X962 and format not in points:
            return public_written(self._form(), encoding, format)
        if encoding is not Encoding.X962 or format not in points:
            raise ValueError("X962 encoding must be used with CompressedPoint or UncompressedPoint"
                             " format")
        if format is PublicFormat.UncompressedPoint:
            return self._point
        size = _cordon_keys.curve_octets(self._bits)
        return bytes((2 + (self._point[-1] & 1),)) + self._point[1:1 + size]

    def __eq__(self, other):
        if not isinstance(other, EllipticCurvePublicKey):
            return NotImplemented
        return self._form() == other._form()

    def __hash__(self):
        return hash(self._form())

    def __copy__(self):
        return self


class EllipticCurvePrivateKey:
    """A pair of keys. Functions make it, not the class."""

    def __init__(self, bits, secret):
        self._point = _cordon_asymmetric.nist_public(bits, secret)
        if self._point is None:
            raise ValueError("Invalid EC key: the number is not between 1 and the curve's order.")
        self._bits, self._secret = bits, secret

    curve = property(lambda self: curve_of_bits(self._bits))
    key_size = property(lambda self: self._bits)

    def public_key(self):
        return EllipticCurvePublicKey(self._bits, self._point)

    def private_numbers(self):
        return EllipticCurvePrivateNumbers(
            int.from_bytes(self._secret, "big"), self.public_key().public_numbers())

    def exchange(self, algorithm, peer_public_key):
        if not isinstance(algorithm, ECDH):
            raise unsupported("an exchange of a curve other than ECDH")
        if not isinstance(peer_public_key, EllipticCurvePublicKey):
            raise TypeError("peer_public_key must be an EllipticCurvePublicKey")
        if peer_public_key._bits != self._bits:
            raise ValueError("peer_public_key and self are not on the same curve")
        shared = _cordon_asymmetric.nist_shared(self._bits, self._secret, peer_public_key._point)
        if shared is None:
            raise ValueError("Error computing shared key.")
        return shared

    def sign(self, data, signature_algorithm):
        if not isinstance(signature_algorithm, ECDSA):
            raise unsupported("a signature of a curve other than ECDSA")
        digest, algorithm = digest_of(data, signature_algorithm.algorithm)
        name, extra = _NONCE_HASHES[self._bits], os.urandom(32)
        if signature_algorithm.deterministic_signing:
            name, extra = hashlib_name(algorithm), b""
            if name not in _NONCE_HASHES.values():
                raise unsupported("ECDSA without randomness over %s" % algorithm.name)
        numbers = _cordon_asymmetric.nist_sign(self._bits, self._secret, digest, name, extra)
        size = len(numbers) // 2
        return encode_dss_signature(
            int.from_bytes(numbers[:size], "big"), int.from_bytes(numbers[size:], "big"))

    def private_bytes(self, encoding, format, encryption_algorithm):
        key = "ec", self._bits, self._secret
        return private_written(
            _cordon_keys.pkcs8(key, self._point), encoding, format, encryption_algorithm,
            _cordon_keys.sec1_private(key, self._point), "EC PRIVATE KEY")

    def __copy__(self):
        return self


EllipticCurvePublicKeyWithSerialization = EllipticCurvePublicKey
EllipticCurvePrivateKeyWithSerialization = EllipticCurvePrivateKey


class EllipticCurvePublicNumbers:
    def __init__(self, x, y, curve):
        if not isinstance(x, int) or not isinstance(y, int):
            raise TypeError("x and y must be integers.")
        if not isinstance(curve, EllipticCurve):
            raise TypeError("curve must provide the EllipticCurve interface.")
        self._x, self._y, self._curve = x, y, curve

    x = property(lambda self: self._x)
    y = property(lambda self: self._y)
    curve = property(lambda self: self._curve)

    def public_key(self, backend=None):
        bits = _bits(self._curve)
        size = _cordon_keys.curve_octets(bits)
        if min(self._x, self._y) < 0 or max(self._x, self._y) >> 8 * size:
            raise ValueError("Invalid EC key: the point is not on the curve.")
        return EllipticCurvePublicKey(
            bits, b"\4" + self._x.to_bytes(size, "big") + self._y.to_bytes(size, "big"))

    def _all(self):
        return self._x, self._y, self._curve.name

    def __repr__(self):
        return "<EllipticCurvePublicNumbers(curve=%s, x=%d, y=%d>" % (
            self._curve.name, self._x, self._y)

    def __eq__(self, other):
        if not isinstance(other, EllipticCurvePublicNumbers):
            return NotImplemented
        return self._all() == other._all()

    def __hash__(self):
        return hash(self._all())


class EllipticCurvePrivateNumbers:
    def __init__(self, private_value, public_numbers):
        if not isinstance(private_value, int):
            raise TypeError("private_value must be an integer.")
        if not isinstance(public_numbers, EllipticCurvePublicNumbers):
            raise TypeError("public_numbers must be an EllipticCurvePublicNumbers instance.")
        self._private_value, self._public_numbers = private_value, public_numbers

    private_value = property(lambda self: self._private_value)
    public_numbers = property(lambda self: self._public_numbers)

    def private_key(self, backend=None):
        key = derive_private_key(self._private_value, self._public_numbers.curve)
        if key.public_key() != self._public_numbers.public_key():
            raise ValueError("Invalid EC key: the point is not that of the number.")
        return key

    def __eq__(self, other):
        if not isinstance(other, EllipticCurvePrivateNumbers):
            return NotImplemented
        return (self._private_value, self._public_numbers) == (
            other._private_value, other._public_numbers)

    def __hash__(self):
        return hash((self._private_value, self._public_numbers))


def generate_private_key(curve, backend=None):
    """A new pair of keys on this curve."""
    bits = _bits(curve)
    size = _cordon_keys.curve_octets(bits)
    while True:
        secret = os.urandom(size)
        secret = bytes((secret[0] & 0xFF >> (8 * size - bits),)) + secret[1:]
        if _cordon_asymmetric.nist_public(bits, secret) is not None:
            return EllipticCurvePrivateKey(bits, secret)


def derive_private_key(private_value, curve, backend=None):
    """The pair of keys with this number."""
    bits = _bits(curve)
    if not isinstance(private_value, int):
        raise TypeError("private_value must be an integer type.")
    if private_value <= 0:
        raise ValueError("private_value must be a positive integer.")
    size = _cordon_keys.curve_octets(bits)
    if private_value >> 8 * size:
        raise ValueError("Invalid EC key: the number is not between 1 and the curve's order.")
    return EllipticCurvePrivateKey(bits, private_value.to_bytes(size, "big"))
