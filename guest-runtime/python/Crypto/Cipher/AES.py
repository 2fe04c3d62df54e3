"""AES as PyCryptodome has it."""

import hmac as _hmac
import os as _os

import _cordon_crypto

MODE_ECB, MODE_CBC, MODE_CFB, MODE_OFB, MODE_CTR = 1, 2, 3, 5, 6
MODE_OPENPGP, MODE_CCM, MODE_EAX, MODE_SIV, MODE_GCM, MODE_OCB = 7, 8, 9, 10, 11, 12

block_size = 16
key_size = (16, 24, 32)

_WITH_VECTOR = {MODE_CBC: "CBC", MODE_CFB: "CFB", MODE_OFB: "OFB"}
_MISSING = {MODE_OPENPGP: "OPENPGP", MODE_CCM: "CCM", MODE_EAX: "EAX", MODE_SIV: "SIV",
            MODE_OCB: "OCB"}


class _Cipher:
    """One direction of one message: whichever is asked for first."""

    block_size = block_size

    def __init__(self, mode, name, key, start):
        self._parameters = name, key, start
        self._name, self._mode, self._work, self._encrypts = name, mode, None, None

    def _directed(self, encrypts):
        if self._encrypts is None:
            self._encrypts = encrypts
            self._work = _cordon_crypto.AesWork(*self._parameters, encrypts)
        elif self._encrypts is not encrypts and self._name != "ECB":
            names = ("decrypt", "encrypt")
            raise TypeError("%s() cannot be called after %s()"
                            % (names[encrypts], names[not encrypts]))
        elif self._encrypts is not encrypts:
            return _cordon_crypto.AesWork(*self._parameters, encrypts)
        return self._work

    def _through(self, encrypts, data, output):
        if self._name in ("ECB", "CBC") and len(data) % block_size:
            raise ValueError("Data must be %s to 16 byte boundary in %s mode"
                             % (("aligned", "padded")[self._name == "CBC"], self._name))
        result = self._directed(encrypts).update(data)
        if output is None:
            return result
        output[:len(result)] = result
        return None

    def encrypt(self, plaintext, output=None):
        return self._through(True, plaintext, output)

    def decrypt(self, ciphertext, output=None):
        return self._through(False, ciphertext, output)


class _Gcm(_Cipher):
    def __init__(self, key, nonce, mac_len):
        if not 4 <= mac_len <= 16:
            raise ValueError("Parameter 'mac_len' must be in the range 4..16")
        super().__init__(MODE_GCM, "GCM", key, nonce)
        self.nonce, self._length, self._before, self._tag = nonce, mac_len, [], None

    def update(self, assoc_data):
        if self._work is not None:
            raise TypeError("update() can only be called immediately after initialization or an"
                            " update()")
        self._before.append(bytes(assoc_data))
        return self

    def _directed(self, encrypts):
        if self._tag is not None:
            raise TypeError("the tag was computed already")
        fresh = self._work is None
        work = super()._directed(encrypts)
        if fresh:
            work.authenticate(b"".join(self._before))
        return work

    def _computed(self, encrypts):
        if self._tag is None:
            self._tag = self._directed(encrypts).tag()[:self._length]
        return self._tag

    def digest(self):
        if self._encrypts is False:
            raise TypeError("digest() cannot be called when decrypting or validating a message")
        return self._computed(True)

    def hexdigest(self):
        return self.digest().hex()

    def verify(self, received_mac_tag):
        if self._encrypts is True:
            raise TypeError("verify() cannot be called when encrypting a message")
        if not _hmac.compare_digest(self._computed(False), bytes(received_mac_tag)):
            raise ValueError("MAC check failed")

    def hexverify(self, hex_mac_tag):
        self.verify(bytes.fromhex(hex_mac_tag))

    def encrypt_and_digest(self, plaintext, output=None):
        return self.encrypt(plaintext, output), self.digest()

    def decrypt_and_verify(self, ciphertext, received_mac_tag, output=None):
        result = self.decrypt(ciphertext, output)
        self.verify(received_mac_tag)
        return result


def _counter(nonce, initial_value, counter):
    """The first counter block."""
    if counter is not None:
        if counter["little_endian"]:
            raise NotImplementedError("little-endian counters are not supported")
        width = counter["counter_len"]
        if counter["suffix"] or len(counter["prefix"]) + width != block_size:
            raise NotImplementedError("counters have to be at the end of the block")
        return counter["prefix"] + counter["initial_value"].to_bytes(width, "big")
    if nonce is None:
        nonce = _os.urandom(block_size // 2)
    if len(nonce) >= block_size:
        raise ValueError("Nonce is too long")
    if isinstance(initial_value, int):
        initial_value = (initial_value or 0).to_bytes(block_size - len(nonce), "big")
    block = bytes(nonce) + bytes(initial_value)
    if len(block) != block_size:
        raise ValueError("Incorrect length of counter block")
    return block


def new(key, mode, *args, **kwargs):
    """A cipher; the third argument is the vector or the nonce."""
    key = bytes(key)
    if len(key) not in key_size:
        raise ValueError("Incorrect AES key length (%d bytes)" % len(key))
    if mode in _MISSING:
        raise NotImplementedError("AES in mode %s is not part of this hub" % _MISSING[mode])
    first = args[0] if args else None
    kwargs.pop("use_aesni", None)
    if mode == MODE_ECB:
        cipher = _Cipher(mode, "ECB", key, b"")
    elif mode in _WITH_VECTOR:
        vector = kwargs.pop("iv", kwargs.pop("IV", first))
        vector = _os.urandom(block_size) if vector is None else bytes(vector)
        if len(vector) != block_size:
            raise ValueError("Incorrect IV length (it must be 16 bytes long)")
        name = _WITH_VECTOR[mode]
        if mode == MODE_CFB:
            segment = kwargs.pop("segment_size", 8)
            if segment not in (8, 128):
                raise NotImplementedError("segments of %d bits are not supported" % segment)
            name = "CFB8" if segment == 8 else "CFB"
        cipher = _Cipher(mode, name, key, vector)
        cipher.iv = cipher.IV = vector
    elif mode == MODE_CTR:
        nonce = kwargs.pop("nonce", first)
        counter = kwargs.pop("counter", None)
        start = _counter(nonce, kwargs.pop("initial_value", 0), counter)
        cipher = _Cipher(mode, "CTR", key, start)
        cipher.nonce = start[:8] if nonce is None else bytes(nonce)
    elif mode == MODE_GCM:
        nonce = kwargs.pop("nonce", first)
        nonce = _os.urandom(block_size) if nonce is None else bytes(nonce)
        if not nonce:
            raise ValueError("Nonce cannot be empty")
        cipher = _Gcm(key, nonce, kwargs.pop("mac_len", 16))
    else:
        raise ValueError("Mode not supported")
    if kwargs:
        raise TypeError("Unknown parameters: %s" % ", ".join(kwargs))
    return cipher
