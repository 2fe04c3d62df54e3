"""``mmap``: can be imported, cannot be used."""

from _cordon_refusal import refusal as _refusal

error = OSError
ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY = 0, 1, 2, 3
MAP_SHARED, MAP_PRIVATE, MAP_ANON, MAP_ANONYMOUS = 1, 2, 32, 32
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
PAGESIZE = ALLOCATIONGRANULARITY = 65536


class mmap:
    def __new__(cls, *args, **kwargs):
        raise _refusal("mmap", "read the file, or use bytearray for memory")
