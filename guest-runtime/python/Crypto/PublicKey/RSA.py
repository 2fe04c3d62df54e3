"""RSA keys as PyCryptodome has them."""

import _cordon_keys
import _cordon_rsa
from Crypto.PublicKey import _form, _read, _written

oid = _cordon_keys.RSA

_UNREADABLE = "RSA key format is not supported"


class RsaKey:
    """A key, public or private. Functions make it, not the class."""

    def __init__(self, n, e, native=None, numbers=None):
        self._n, self._e, self._native = n, e, native
        self._d, self._p, self._q = numbers or (None, None, None)

    n = property(lambda self: self._n)
    e = property(lambda self: self._e)

    def _private(self, number):
        if self._native is None:
            raise AttributeError("No private exponent available for public keys")
        return number

    d = property(lambda self: self._private(self._d))
    p = property(lambda self: self._private(self._p))
    q = property(lambda self: self._private(self._q))
    dp = property(lambda self: self.d % (self.p - 1))
    dq = property(lambda self: self.d % (self.q - 1))
    invp = property(lambda self: pow(self.p, -1, self.q))
    invq = property(lambda self: pow(self.q, -1, self.p))
    u = invp

    def size_in_bits(self):
        return self._n.bit_length()

    def size_in_bytes(self):
        return _cordon_rsa.size_of(self._n)

    def has_private(self):
        return self._native is not None

    def can_encrypt(self):
        return True

    def can_sign(self):
        return True

    def public_key(self):
        return RsaKey(self._n, self._e)

    publickey = public_key

    def _operation(self, block):
        """The block to the power of the private exponent."""
        if self._native is None:
            raise TypeError("This is not a private key")
        return self._native.operation(block)

    def _public_operation(self, block):
        return _cordon_rsa.public_operation(self._n, self._e, block)

    def export_key(self, format="PEM", passphrase=None, pkcs=1, protection=None, randfunc=None,
                   prot_params=None):
        public = "rsa", self._n, self._e
        if format == "OpenSSH":
            return _cordon_keys.ssh_public(public)
        if self._native is None:
            return _form(_cordon_keys.spki(public), "PUBLIC KEY", format)
        key = public + (self._d, self._p, self._q, self.dp, self.dq, self.invq)
        if pkcs == 8:
            return _written(_cordon_keys.pkcs8(key), passphrase, format)
        if pkcs != 1:
            raise ValueError("'pkcs' must be 1 or 8")
        if passphrase is not None:
            raise NotImplementedError("encryption of a key in PKCS#1 is not part of this hub; give"
                                      " pkcs=8")
        return _form(_cordon_keys.pkcs1_private(key), "RSA PRIVATE KEY", format)

    exportKey = export_key

    def __eq__(self, other):
        if not isinstance(other, RsaKey):
            return NotImplemented
        return (self._n, self._e, self._d) == (other._n, other._e, other._d)

    __hash__ = None

    def __repr__(self):
        return "%s RSA key at 0x%X" % (("Public", "Private")[self.has_private()], id(self))


def _paired(n, e, d, p, q):
    return RsaKey(n, e, _cordon_rsa.private(n, e, d, p, q), (d, p, q))


def generate(bits, randfunc=None, e=65537):
    """A new private key of this many bits."""
    if bits < 1024:
        raise ValueError("RSA modulus length must be >= 1024")
    if e % 2 == 0 or e < 3:
        raise ValueError("RSA public exponent must be a positive, odd integer larger than 2.")
    native = _cordon_rsa.generate(bits, e)
    n, e, d, p, q = (int.from_bytes(part, "big") for part in native.numbers())
    return RsaKey(n, e, native, (d, p, q))


def construct(rsa_components, consistency_check=True):
    """The key of two, three, five or six numbers: n, e, d, p, q, u."""
    n, e, *rest = (int(number) for number in rsa_components)
    if not rest:
        _cordon_rsa.check_public(n, e)
        return RsaKey(n, e)
    d, *primes = rest
    if len(primes) < 2:
        primes = _cordon_rsa.recover_factors(n, e, d)
    return _paired(n, e, d, primes[0], primes[1])


def import_key(extern_key, passphrase=None):
    """The key in a PEM, a DER or a line of OpenSSH's."""
    key, private = _read(extern_key, passphrase, "rsa", _UNREADABLE)
    return _paired(*key[1:6]) if private else construct(key[1:])


importKey = import_key
