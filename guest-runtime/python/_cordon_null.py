"""``/dev/null``, which the folders of a plugin do not have: what ``open`` makes of it."""

import io

PATH = "/dev/null"


class Null(io.RawIOBase):
    """Takes everything, gives nothing."""

    name = PATH

    def __init__(self, mode):
        self.mode = mode

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def readinto(self, buffer):
        return 0

    def write(self, data):
        return memoryview(data).nbytes

    def seek(self, offset, whence=0):
        return 0

    def tell(self):
        return 0

    def truncate(self, size=None):
        return 0


def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None,
         closefd=True, opener=None):
    reads, writes = "r" in mode or "+" in mode, "r" not in mode or "+" in mode
    raw = Null(mode)
    if buffering == 0 and "b" in mode:
        return raw
    if reads and writes:
        buffered = io.BufferedRandom(raw)
    else:
        buffered = io.BufferedReader(raw) if reads else io.BufferedWriter(raw)
    if "b" in mode:
        return buffered
    text = io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)
    text.mode = mode
    return text
