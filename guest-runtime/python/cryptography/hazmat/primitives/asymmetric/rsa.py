"""RSA keys."""

import _cordon_keys
import _cordon_rsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives._forms import private_written, public_written, written
from cryptography.hazmat.primitives._serialization import PublicFormat
from cryptography.hazmat.primitives.asymmetric import padding as _padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, digest_of
from cryptography.hazmat.primitives.hashes import hashlib_name
from cryptography.utils import check_byteslike, unsupported

_TOO_LARGE = "Digest too large for key size. Use a larger key or different digest."


def _mask_name(padding):
    if not isinstance(padding.mgf, _padding.MGF1):
        raise unsupported("a mask of RSA other than MGF1")
    return hashlib_name(padding.mgf._algorithm)


def _checked_padding(padding):
    if not isinstance(padding, _padding.AsymmetricPadding):
        raise TypeError("Padding must be an instance of AsymmetricPadding.")
    return padding


def _signed_block(digest, algorithm, padding, bits):
    """The padded digest that a signature is made of."""
    if isinstance(_checked_padding(padding), _padding.PKCS1v15):
        name = None if algorithm is None else hashlib_name(algorithm)
        block = _cordon_rsa.signature_block(digest, name, (bits + 7) // 8)
    elif isinstance(padding, _padding.PSS) and algorithm is not None:
        length = padding._salt_length
        if isinstance(length, _padding._Auto):
            raise ValueError("PSS salt length can only be set to Auto when verifying")
        if isinstance(length, _padding._DigestLength):
            length = algorithm.digest_size
        elif isinstance(length, _padding._MaxLength):
            length = _cordon_rsa.longest_salt(bits, algorithm.digest_size)
        block = length >= 0 and _cordon_rsa.pss_block(
            digest, hashlib_name(algorithm), _mask_name(padding), length, bits) or None
    else:
        raise unsupported("padding %s for signatures" % padding.name)
    if block is None:
        raise ValueError(_TOO_LARGE)
    return block


def _matches(block, digest, algorithm, padding, bits):
    """Whether a block out of a signature is the padded digest."""
    if isinstance(_checked_padding(padding), _padding.PSS):
        length = padding._salt_length
        if isinstance(length, _padding._Auto):
            length = None
        elif isinstance(length, _padding._DigestLength):
            length = algorithm.digest_size
        elif isinstance(length, _padding._MaxLength):
            length = _cordon_rsa.longest_salt(bits, algorithm.digest_size)
        return _cordon_rsa.pss_matches(
            block, digest, hashlib_name(algorithm), _mask_name(padding), length, bits)
    try:
        return block == _signed_block(digest, algorithm, padding, bits)
    except ValueError:
        return False


class RSAPublicKey:
    """The public half of a pair. Functions make it, not the class."""

    def __init__(self, numbers):
        _cordon_rsa.check_public(numbers.n, numbers.e)
        self._numbers = numbers

    key_size = property(lambda self: self._numbers.n.bit_length())

    def public_numbers(self):
        return self._numbers

    def _form(self):
        return "rsa", self._numbers.n, self._numbers.e

    def encrypt(self, plaintext, padding):
        check_byteslike("plaintext", plaintext)
        size = _cordon_rsa.size_of(self._numbers.n)
        if isinstance(_checked_padding(padding), _padding.PKCS1v15):
            block = _cordon_rsa.encryption_block(plaintext, size)
        elif isinstance(padding, _padding.OAEP):
            block = _cordon_rsa.oaep_block(
                plaintext, padding._label or b"", hashlib_name(padding.algorithm),
                _mask_name(padding), size)
        else:
            raise unsupported("padding %s for encryption" % padding.name)
        if block is None:
            raise ValueError("Encryption failed: the key of %d bits has no room for %d bytes"
                             % (self.key_size, len(plaintext)))
        return self._operation(block)

    def _operation(self, block):
        return _cordon_rsa.public_operation(self._numbers.n, self._numbers.e, block)

    def _opened(self, signature):
        """The block in a signature."""
        check_byteslike("signature", signature)
        if len(signature) != _cordon_rsa.size_of(self._numbers.n):
            raise InvalidSignature
        try:
            return self._operation(signature)
        except ValueError:
            raise InvalidSignature from None

    def verify(self, signature, data, padding, algorithm):
        digest, algorithm = digest_of(data, algorithm)
        block = self._opened(signature)
        if not _matches(block, digest, algorithm, padding, self.key_size):
            raise InvalidSignature

    def recover_data_from_signature(self, signature, padding, algorithm):
        if not isinstance(_checked_padding(padding), _padding.PKCS1v15):
            raise unsupported("data in a signature with padding %s" % padding.name)
        if isinstance(algorithm, Prehashed):
            raise TypeError("Prehashed is only supported in the sign and verify methods. It cannot"
                            " be used with recover_data_from_signature.")
        block = self._opened(signature)
        length = algorithm.digest_size if algorithm is not None else (
            len(block) - block.find(b"\0", 2) - 1)
        data = block[len(block) - length:]
        if not _matches(block, data, algorithm, padding, self.key_size):
            raise InvalidSignature
        return data

    def public_bytes(self, encoding, format):
        if format is PublicFormat.PKCS1:
            return written(_cordon_keys.pkcs1_public(self._form()), encoding, "RSA PUBLIC KEY")
        return public_written(self._form(), encoding, format)

    def __eq__(self, other):
        if not isinstance(other, RSAPublicKey):
            return NotImplemented
        return self._numbers == other._numbers

    def __hash__(self):
        return hash(self._numbers)

    def __copy__(self):
        return self


class RSAPrivateKey:
    """A pair of keys. Functions make it, not the class."""

    def __init__(self, native, numbers=None):
        self._native = native
        if numbers is None:
            n, e, d, p, q = (int.from_bytes(part, "big") for part in native.numbers())
            numbers = RSAPrivateNumbers(
                p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), RSAPublicNumbers(e, n))
        self._numbers = numbers

    key_size = property(lambda self: self._numbers.public_numbers.n.bit_length())

    def public_key(self):
        return RSAPublicKey(self._numbers.public_numbers)

    def private_numbers(self):
        return self._numbers

    def decrypt(self, ciphertext, padding):
        check_byteslike("ciphertext", ciphertext)
        if len(ciphertext) != _cordon_rsa.size_of(self._numbers.public_numbers.n):
            raise ValueError("Ciphertext length must be equal to key size.")
        if isinstance(_checked_padding(padding), _padding.PKCS1v15):
            return self._native.decrypt_pkcs1v15(ciphertext)
        if not isinstance(padding, _padding.OAEP):
            raise unsupported("padding %s for encryption" % padding.name)
        names = hashlib_name(padding.algorithm), _mask_name(padding)
        message = _cordon_rsa.oaep_message(
            self._native.operation(ciphertext), padding._label or b"", *names)
        if message is None:
            raise ValueError("Decryption failed")
        return message

    def sign(self, data, padding, algorithm):
        digest, algorithm = digest_of(data, algorithm)
        return self._native.operation(_signed_block(digest, algorithm, padding, self.key_size))

    def private_bytes(self, encoding, format, encryption_algorithm):
        numbers = self._numbers
        key = ("rsa", numbers.public_numbers.n, numbers.public_numbers.e, numbers.d, numbers.p,
               numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        return private_written(
            _cordon_keys.pkcs8(key), encoding, format, encryption_algorithm,
            _cordon_keys.pkcs1_private(key), "RSA PRIVATE KEY")

    def __copy__(self):
        return self


RSAPublicKeyWithSerialization, RSAPrivateKeyWithSerialization = RSAPublicKey, RSAPrivateKey


def _check_numbers(**numbers):
    for name, number in numbers.items():
        if not isinstance(number, int):
            raise TypeError("%s must be an integer." % name)


class RSAPublicNumbers:
    def __init__(self, e, n):
        _check_numbers(e=e, n=n)
        self._e, self._n = e, n

    e = property(lambda self: self._e)
    n = property(lambda self: self._n)

    def public_key(self, backend=None):
        return RSAPublicKey(self)

    def __repr__(self):
        return "<RSAPublicNumbers(e=%d, n=%d)>" % (self._e, self._n)

    def __eq__(self, other):
        if not isinstance(other, RSAPublicNumbers):
            return NotImplemented
        return (self._e, self._n) == (other._e, other._n)

    def __hash__(self):
        return hash((self._e, self._n))


class RSAPrivateNumbers:
    def __init__(self, p, q, d, dmp1, dmq1, iqmp, public_numbers):
        _check_numbers(p=p, q=q, d=d, dmp1=dmp1, dmq1=dmq1, iqmp=iqmp)
        if not isinstance(public_numbers, RSAPublicNumbers):
            raise TypeError("RSAPrivateNumbers public_numbers must be an RSAPublicNumbers"
                            " instance.")
        self.p, self.q, self.d, self.dmp1, self.dmq1, self.iqmp = p, q, d, dmp1, dmq1, iqmp
        self.public_numbers = public_numbers

    def private_key(self, backend=None, *, unsafe_skip_rsa_key_validation=False):
        public = self.public_numbers
        native = _cordon_rsa.private(public.n, public.e, self.d, self.p, self.q)
        if self.dmp1 != self.d % (self.p - 1):
            raise ValueError("dmp1 is not d mod (p - 1)")
        if self.dmq1 != self.d % (self.q - 1):
            raise ValueError("dmq1 is not d mod (q - 1)")
        if not 0 < self.iqmp < self.p or self.iqmp * self.q % self.p != 1:
            raise ValueError("iqmp is not the inverse of q mod p")
        return RSAPrivateKey(native, self)

    def _all(self):
        return (self.p, self.q, self.d, self.dmp1, self.dmq1, self.iqmp, self.public_numbers)

    def __eq__(self, other):
        if not isinstance(other, RSAPrivateNumbers):
            return NotImplemented
        return self._all() == other._all()

    def __hash__(self):
        return hash(self._all())


def generate_private_key(public_exponent, key_size, backend=None):
    """A new pair of keys of this many bits."""
    if public_exponent not in (3, 65537):
        raise ValueError("public_exponent must be either 3 (for legacy compatibility) or 65537."
                         " Almost everyone should choose 65537 here!")
    if key_size < 1024:
        raise ValueError("key_size must be at least 1024-bits.")
    return RSAPrivateKey(_cordon_rsa.generate(key_size, public_exponent))


def rsa_crt_iqmp(p, q):
    """The inverse of ``q`` modulo ``p``."""
    return pow(q, -1, p)


def rsa_crt_dmp1(private_exponent, p):
    return private_exponent % (p - 1)


def rsa_crt_dmq1(private_exponent, q):
    return private_exponent % (q - 1)


def rsa_recover_prime_factors(n, e, d):
    """The primes of a modulus, the larger one first."""
    return _cordon_rsa.recover_factors(n, e, d)


def rsa_recover_private_exponent(e, p, q):
    """The smallest exponent that undoes ``e``."""
    from math import lcm

    return pow(e, -1, lcm(p - 1, q - 1))
