"""ICMP echo for plugins, which tells whether a host answers, and how fast.

The module is a part of Cordon, for plugins that would otherwise start ``ping`` or open
a raw socket. It needs the grant ``icmp``, or the instance's own Address.

    import cordon_icmp
    try:
        reply = cordon_icmp.ping("192.168.1.20", timeout=1.0)
        print(reply.milliseconds)
    except TimeoutError:
        print("no answer")
"""

import errno
import os
import socket
from collections import namedtuple

import _cordon_icmp

__all__ = ["Reply", "ping", "is_up"]


class Reply(namedtuple("Reply", "address round_trip size")):
    """The address that answered, the seconds until then, and the number of payload bytes."""

    __slots__ = ()

    @property
    def milliseconds(self):
        return self.round_trip * 1000


def ping(host, timeout=1.0, size=56, ttl=None):
    """Sends one echo request and returns the ``Reply``.

    ``timeout`` is in seconds, at most 60. Blocks the calling thread only. Raises
    ``TimeoutError`` without an answer, ``socket.gaierror`` for a name without an
    address, ``PermissionError`` without a grant, ``BlockingIOError`` beyond the limit
    ``echoes``, and ``OSError`` for an error that the network reports.
    """
    if timeout <= 0:
        raise ValueError("timeout must be more than 0")
    if not 0 <= size <= 1400:
        raise ValueError("size must be from 0 to 1400")
    if ttl is not None and not 1 <= ttl <= 255:
        raise ValueError("ttl must be from 1 to 255")
    milliseconds = max(1, min(60_000, int(timeout * 1000)))
    word, *rest = _cordon_icmp.echo(str(host), milliseconds, size, ttl)
    if word is None:
        address, nanoseconds, size = rest
        return Reply(address, nanoseconds / 1e9, size)
    value = rest[0]
    if word == "denied":
        raise PermissionError(errno.EACCES, value)
    if word == "no-such-host":
        raise socket.gaierror(-2, "Name or service not known")
    if word == "timed-out":
        raise TimeoutError("no answer from %s within %g s" % (host, timeout))
    if word == "too-many":
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    if word == "unavailable":
        raise OSError(errno.EPERM, value)
    number = value
    raise OSError(number, os.strerror(number))


def is_up(host, timeout=1.0, tries=1):
    """Whether the host answers one of so many requests."""
    for _ in range(tries):
        try:
            ping(host, timeout)
            return True
        except PermissionError:
            raise
        except OSError:
            continue
    return False
