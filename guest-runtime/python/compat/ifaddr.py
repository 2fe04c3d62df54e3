"""Stands for the package ``ifaddr``, which asks the system's library by ctypes.

A component is not shown the interfaces of the machine. Its sockets can use the
interface that the hub chooses, which a socket asks for with the address 0.0.0.0; that
is the one adapter here. It is enough for zeroconf, which binds to the adapters that it
finds and joins groups on them.
"""

__version__ = "0.2.0"
__all__ = ["Adapter", "get_adapters", "IP"]


class IP:
    """An address of an adapter: text for IPv4, a tuple for IPv6."""

    def __init__(self, ip, network_prefix, nice_name):
        self.ip = ip
        self.network_prefix = network_prefix
        self.nice_name = nice_name

    @property
    def is_IPv4(self):
        return not isinstance(self.ip, tuple)

    @property
    def is_IPv6(self):
        return isinstance(self.ip, tuple)

    def __repr__(self):
        return "IP(ip={!r}, network_prefix={!r}, nice_name={!r})".format(
            self.ip, self.network_prefix, self.nice_name
        )


class Adapter:
    """A network interface with its addresses."""

    def __init__(self, name, nice_name, ips, index=None):
        self.name = name
        self.nice_name = nice_name
        self.ips = ips
        self.index = index

    def __repr__(self):
        return "Adapter(name={!r}, nice_name={!r}, ips={!r}, index={!r})".format(
            self.name, self.nice_name, self.ips, self.index
        )


def get_adapters(include_unconfigured=False):
    """The one that the hub's sockets use by themselves."""
    return [Adapter("default", "default", [IP("0.0.0.0", 0, "default")], 0)]
