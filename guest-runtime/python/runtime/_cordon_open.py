"""Opens names and numbers that are no files of the plugin's folders: ``/dev/null``, and
descriptors of sockets and pipes.
"""

import io
import os

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


class Descriptor(io.RawIOBase):
    """A socket or one end of a pipe, by its number."""

    def __init__(self, fd, mode, closefd):
        os.get_blocking(fd)
        self.name, self.mode, self.closefd = fd, mode, closefd
        self._reads, self._writes = "r" in mode or "+" in mode, "r" not in mode or "+" in mode

    def fileno(self):
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return self.name

    def readable(self):
        return self._reads

    def writable(self):
        return self._writes

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")
        try:
            data = os.read(self.fileno(), view.nbytes)
        except BlockingIOError:
            return None
        view[: len(data)] = data
        return len(data)

    def write(self, data):
        try:
            return os.write(self.fileno(), data)
        except BlockingIOError:
            return None

    def close(self):
        if not self.closed:
            super().close()
            if self.closefd:
                os.close(self.name)


def open(
    file,
    mode="r",
    buffering=-1,
    encoding=None,
    errors=None,
    newline=None,
    closefd=True,
    opener=None,
):
    raw = Null(mode) if file == PATH else Descriptor(file, mode, closefd)
    if buffering == 0 and "b" in mode:
        return raw
    if "+" in mode:
        buffered = io.BufferedRandom(raw) if raw.seekable() else io.BufferedRWPair(raw, raw)
    else:
        buffered = io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)
    if "b" in mode:
        return buffered
    text = io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)
    text.mode = mode
    return text
