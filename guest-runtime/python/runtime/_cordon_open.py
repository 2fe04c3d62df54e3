"""Opens names and numbers that are no files of the plugin's folders: ``/dev/null``, and
descriptors of sockets and pipes. Refuses serial ports, with the word how they are opened.
"""

import errno
import io
import os

PATH = "/dev/null"

# Beginnings of the names of serial ports.
_PORTS = ("/dev/tty", "/dev/serial/", "/dev/rfcomm", "/dev/cu.", "/dev/pts/")


def is_port(path):
    """Whether a name is one that serial ports have."""
    return isinstance(path, str) and path.startswith(_PORTS)


def is_granted_port(path):
    """Whether a serial port of this name is there and may be used."""
    if not is_port(path):
        return False
    import _cordon_serial

    return any(port[0] == path for port in _cordon_serial.ports())


def port_refused(path):
    """The exception for a serial port that is to be opened as a file."""
    reason = (
        "serial ports are no files here: `import serial` and serial.Serial(%r) open it, with"
        ' `serial = ["%s"]` under the instance\'s [grants]' % (path, path)
    )
    return OSError(errno.EOPNOTSUPP, reason, path)


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
    if file == PATH:
        raw = Null(mode)
    elif isinstance(file, int):
        raw = Descriptor(file, mode, closefd)
    elif is_port(file):
        raise port_refused(file)
    else:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
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
