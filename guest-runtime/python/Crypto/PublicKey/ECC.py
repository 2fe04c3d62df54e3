"""Keys of the curves P-256, P-384 and P-521 as PyCryptodome has them."""

import os

import _cordon_asymmetric
import _cordon_keys
from Crypto.PublicKey import _form, _read, _written

_UNREADABLE = "ECC key format is not supported"

_NAMES = {name % bits: bits for bits in (256, 384, 521)
          for name in ("P-%d", "p%d", "p-%d", "P%d", "secp%dr1", "NIST P-%d")}
_NAMES["prime256v1"] = 256


class UnsupportedEccFeature(ValueError):
    """Something that keys of curves can be and that is not here."""


class EccPoint:
    """A point of a curve."""

    def __init__(self, x, y, curve="P-256"):
        self.x, self.y, self.curve = x, y, curve

    xy = property(lambda self: (self.x, self.y))

    def __eq__(self, other):
        if not isinstance(other, EccPoint):
            return NotImplemented
        return (self.x, self.y, self.curve) == (other.x, other.y, other.curve)

    __hash__ = None


class EccKey:
    """A key, public or private. Functions make it, not the class."""

    def __init__(self, bits, point, secret=None):
        self._bits, self._point, self._secret = bits, point, secret
        self.curve = "NIST P-%d" % bits

    def has_private(self):
        return self._secret is not None

    @property
    def d(self):
        if self._secret is None:
            raise ValueError("This is not a private ECC key")
        return int.from_bytes(self._secret, "big")

    @property
    def pointQ(self):
        size = _cordon_keys.curve_octets(self._bits)
        x, y = self._point[1:1 + size], self._point[1 + size:]
        return EccPoint(int.from_bytes(x, "big"), int.from_bytes(y, "big"), self.curve)

    def public_key(self):
        return EccKey(self._bits, self._point)

    def export_key(self, format="PEM", passphrase=None, use_pkcs8=True, compress=False,
                   protection=None, randfunc=None, prot_params=None):
        point = self._point
        if compress:
            size = _cordon_keys.curve_octets(self._bits)
            point = bytes((2 + (point[-1] & 1),)) + point[1:1 + size]
        public = "ec", self._bits, point
        if self._secret is not None and format in ("PEM", "DER"):
            key = "ec", self._bits, self._secret
            if use_pkcs8:
                written = _written(_cordon_keys.pkcs8(key, point), passphrase, format)
            elif passphrase is not None:
                raise NotImplementedError("encryption of a key without PKCS#8 is not part of this"
                                          " hub")
            else:
                written = _form(_cordon_keys.sec1_private(key, point), "EC PRIVATE KEY", format)
        elif format == "OpenSSH":
            written = _cordon_keys.ssh_public(public)
        elif format in ("SEC1", "raw"):
            return point if format == "SEC1" else point[1:]
        else:
            written = _form(_cordon_keys.spki(public), "PUBLIC KEY", format)
        return written if format == "DER" else written.decode()

    def __eq__(self, other):
        if not isinstance(other, EccKey):
            return NotImplemented
        return (self._point, self._secret) == (other._point, other._secret)

    __hash__ = None

    def __repr__(self):
        point = self.pointQ
        secret = ", d=%d" % self.d if self.has_private() else ""
        return "EccKey(curve='%s', point_x=%d, point_y=%d%s)" % (
            self.curve, point.x, point.y, secret)


def _bits(curve):
    if curve not in _NAMES:
        raise NotImplementedError("the elliptic curve %s is not part of this hub" % curve)
    return _NAMES[curve]


def _paired(bits, secret):
    point = _cordon_asymmetric.nist_public(bits, secret)
    if point is None:
        raise ValueError("Invalid ECC private component")
    return EccKey(bits, point, secret)


def generate(*, curve, randfunc=None):
    """A new private key on this curve."""
    bits = _bits(curve)
    size = _cordon_keys.curve_octets(bits)
    while True:
        number = int.from_bytes(os.urandom(size), "big") & (1 << bits) - 1
        try:
            return _paired(bits, number.to_bytes(size, "big"))
        except ValueError:
            continue


def construct(*, curve, d=None, point_x=None, point_y=None):
    """The key of this number, or of this point."""
    bits = _bits(curve)
    size = _cordon_keys.curve_octets(bits)
    try:
        secret = None if d is None else d.to_bytes(size, "big")
        point = None if point_x is None or point_y is None else (
            b"\4" + point_x.to_bytes(size, "big") + point_y.to_bytes(size, "big"))
    except OverflowError:
        raise ValueError("a number of the key is negative or too long") from None
    if secret is not None:
        key = _paired(bits, secret)
        if point is not None and point != key._point:
            raise ValueError("Private and public ECC keys do not match")
        return key
    if point is None:
        raise ValueError("Either 'd' or both 'point_x' and 'point_y' are needed")
    return _public(bits, point)


def _public(bits, point):
    whole = _cordon_asymmetric.nist_point(bits, point)
    if whole is None:
        raise ValueError("The EC point does not belong to the curve")
    return EccKey(bits, whole)


def import_key(encoded, passphrase=None, curve_name=None):
    """The key in a PEM, a DER, a line of OpenSSH's, or the octets of a point."""
    if curve_name is not None:
        return _public(_bits(curve_name), encoded)
    key, private = _read(encoded, passphrase, "ec", _UNREADABLE)
    return (_paired if private else _public)(*key[1:])
