"""The paddings of RSA (RFC 8017) over the operations of ``_cordon_asymmetric``.

Hashes go by their names in ``hashlib``. A block is as long as the modulus. A mask is the
name of the hash under MGF1, or a function of a seed and a length.
"""

import hashlib
import hmac
import os

import _cordon_asymmetric
from _cordon_der import oid, value

# Bits of the longest modulus; longer ones are refused below.
LARGEST_BITS = 8192

HASH_OIDS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_224": "2.16.840.1.101.3.4.2.7",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
    "sha3_384": "2.16.840.1.101.3.4.2.9",
    "sha3_512": "2.16.840.1.101.3.4.2.10",
}


def octets(number):
    """A number as octets, the highest first."""
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def size_of(modulus):
    """Octets of a block."""
    return (modulus.bit_length() + 7) // 8


def generate(bits, exponent):
    """A new key of the runtime; raises ``ValueError`` for a size or exponent that is refused."""
    if not 0 <= bits <= LARGEST_BITS:
        raise ValueError("an RSA key of more than %d bits is refused" % LARGEST_BITS)
    if not 0 < exponent < 1 << 64:
        raise ValueError("the public exponent has to be odd and between 3 and 2**33 - 1")
    return _cordon_asymmetric.rsa_generate(bits, exponent)


def private(n, e, d, p, q):
    """The key of these numbers; raises ``ValueError`` where they do not fit each other."""
    if min(n, e, d, p, q) < 1:
        raise ValueError("a number of an RSA key is not positive")
    return _cordon_asymmetric.RsaPrivate(octets(n), octets(e), octets(d), octets(p), octets(q))


def check_public(n, e):
    """Raises ``ValueError`` for numbers that are no public key."""
    if min(n, e) < 1:
        raise ValueError("a number of an RSA key is not positive")
    _cordon_asymmetric.rsa_check(octets(n), octets(e))


def public_operation(n, e, block):
    """The block to the power of the public exponent."""
    return _cordon_asymmetric.rsa_public(octets(n), octets(e), block)


def recover_factors(n, e, d):
    """The primes of a modulus, the larger one first (SP 800-56B, appendix C.1).

    Raises ``ValueError`` when the exponents are not of this modulus. Each try finds the
    factors with a probability of a half or more.
    """
    if n.bit_length() > LARGEST_BITS:
        raise ValueError("an RSA key of more than %d bits is refused" % LARGEST_BITS)
    if n < 4 or n % 2 == 0 or not 1 < d < n or not 1 < e < n:
        raise ValueError("Unable to compute factors p and q from exponent d.")
    odd = d * e - 1
    twos = 0
    while odd and odd % 2 == 0:
        odd //= 2
        twos += 1
    for _ in range(100 if odd and twos else 0):
        root = pow(2 + int.from_bytes(os.urandom(16), "big") % (n - 3), odd, n)
        for _ in range(twos):
            square = root * root % n
            if square == 1 and root not in (1, n - 1):
                factor = _common_divisor(root - 1, n)
                if 1 < factor < n:
                    return max(factor, n // factor), min(factor, n // factor)
            root = square
    raise ValueError("Unable to compute factors p and q from exponent d.")


def _common_divisor(left, right):
    while right:
        left, right = right, left % right
    return left


def hash_of(name, *pieces):
    work = hashlib.new(name)
    for piece in pieces:
        work.update(piece)
    return work.digest()


def mgf1(seed, length, name):
    """As many octets as wanted that a seed gives."""
    mask, count = bytearray(), 0
    while len(mask) < length:
        mask += hash_of(name, seed, count.to_bytes(4, "big"))
        count += 1
    return bytes(mask[:length])


def _masked(data, seed, mask):
    """The data under the mask that a seed gives."""
    octets = mask(seed, len(data)) if callable(mask) else mgf1(seed, len(data), mask)
    number = int.from_bytes(data, "big") ^ int.from_bytes(octets, "big")
    return number.to_bytes(len(data), "big")


def _stated(digest, name):
    """The DER of a digest and the name of its hash; the bare digest without a name."""
    if name is None:
        return digest
    if name not in HASH_OIDS:
        raise ValueError("hash %s has no name in signatures of PKCS#1 v1.5" % name)
    return value(0x30, value(0x30, oid(HASH_OIDS[name]), b"\x05\0"), value(0x04, digest))


def signature_block(digest, name, size):
    """EMSA-PKCS1-v1_5; ``None`` where the block is too short for the digest."""
    stated = _stated(digest, name)
    filling = size - len(stated) - 3
    if filling < 8:
        return None
    return b"\0\1" + b"\xff" * filling + b"\0" + stated


def encryption_block(message, size):
    """RSAES-PKCS1-v1_5; ``None`` where the block is too short for the message."""
    filling = size - len(message) - 3
    if filling < 8:
        return None
    random = b""
    while len(random) < filling:
        random += os.urandom(filling).replace(b"\0", b"")
    return b"\0\2" + random[:filling] + b"\0" + bytes(message)


def longest_salt(bits, digest_size):
    """Octets of the longest salt of PSS; negative where the modulus is too short for any."""
    return (bits + 6) // 8 - digest_size - 2


def pss_block(digest, name, mask, salt_length, bits):
    """EMSA-PSS; ``None`` where the block is too short for digest and salt."""
    length = (bits + 6) // 8
    filling = longest_salt(bits, len(digest)) - salt_length
    if filling < 0:
        return None
    salt = os.urandom(salt_length)
    proof = hash_of(name, bytes(8), digest, salt)
    masked = bytearray(_masked(bytes(filling) + b"\1" + salt, proof, mask))
    masked[0] &= 0xFF >> (8 * length - (bits - 1))
    block = bytes(masked) + proof + b"\xbc"
    return bytes((bits + 7) // 8 - length) + block


def pss_matches(block, digest, name, mask, salt_length, bits):
    """Whether a block is the PSS of a digest; a salt of any length where that is ``None``."""
    length, size = (bits + 6) // 8, len(digest)
    if any(block[: len(block) - length]):
        return False
    block = block[len(block) - length :]
    if length < size + 2 or block[-1] != 0xBC:
        return False
    masked, proof = block[: -size - 1], block[-size - 1 : -1]
    unused = 0xFF >> (8 * length - (bits - 1))
    if masked[0] & ~unused:
        return False
    data = bytearray(_masked(masked, proof, mask))
    data[0] &= unused
    start = data.find(1)
    if start < 0 or any(data[:start]):
        return False
    salt = bytes(data[start + 1 :])
    if salt_length is not None and len(salt) != salt_length:
        return False
    return hmac.compare_digest(hash_of(name, bytes(8), digest, salt), proof)


def oaep_block(message, label, name, mask, size):
    """EME-OAEP; ``None`` where the block is too short for the message."""
    label_hash = hash_of(name, label)
    filling = size - len(message) - 2 * len(label_hash) - 2
    if filling < 0:
        return None
    seed = os.urandom(len(label_hash))
    masked = _masked(label_hash + bytes(filling) + b"\1" + bytes(message), seed, mask)
    return b"\0" + _masked(seed, masked, mask) + masked


def oaep_message(block, label, name, mask):
    """The message in a block of OAEP; ``None`` for a wrong one, whatever is wrong with it."""
    label_hash = hash_of(name, label)
    size = len(label_hash)
    if len(block) < 2 * size + 2:
        return None
    seed = _masked(block[1 : 1 + size], block[1 + size :], mask)
    data = _masked(block[1 + size :], seed, mask)
    return _cordon_asymmetric.oaep_message(block[0], data, label_hash)
