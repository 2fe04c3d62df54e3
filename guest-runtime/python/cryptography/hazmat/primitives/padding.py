"""Filling up to whole blocks."""

from cryptography.exceptions import AlreadyFinalized
from cryptography.utils import check_byteslike


class PaddingContext:
    """Padding under way."""


class _Work(PaddingContext):
    def __init__(self, size):
        self._size, self._rest = size, b""

    def _taken(self, data, keep_last):
        """Whole blocks of what was given so far; the last one may have to wait."""
        if self._rest is None:
            raise AlreadyFinalized("Context was already finalized.")
        check_byteslike("data", data)
        rest = self._rest + bytes(data)
        count = len(rest) // self._size - (keep_last and len(rest) % self._size == 0)
        end = max(count, 0) * self._size
        self._rest = rest[end:]
        return rest[:end]

    def _end(self):
        if self._rest is None:
            raise AlreadyFinalized("Context was already finalized.")
        rest, self._rest = self._rest, None
        return rest


class _Padder(_Work):
    def __init__(self, size, filling):
        super().__init__(size)
        self._filling = filling

    def update(self, data):
        return self._taken(data, False)

    def finalize(self):
        rest = self._end()
        return rest + self._filling(self._size - len(rest))


class _Unpadder(_Padder):
    def update(self, data):
        return self._taken(data, True)

    def finalize(self):
        block = self._end()
        count = block[-1] if len(block) == self._size else 0
        if not 1 <= count <= self._size or block[-count:] != self._filling(count):
            raise ValueError("Invalid padding bytes.")
        return block[:-count]


class _Padding:
    def __init__(self, block_size):
        if not 0 <= block_size <= 2040:
            raise ValueError("block_size must be in range(0, 2041).")
        if block_size % 8 or not block_size:
            raise ValueError("block_size must be a multiple of 8.")
        self._size = block_size // 8

    def padder(self):
        return _Padder(self._size, self._filling)

    def unpadder(self):
        return _Unpadder(self._size, self._filling)


class PKCS7(_Padding):
    """Each added byte is their number."""

    @staticmethod
    def _filling(count):
        return bytes((count,)) * count


class ANSIX923(_Padding):
    """Zeros, then their number."""

    @staticmethod
    def _filling(count):
        return bytes(count - 1) + bytes((count,))
