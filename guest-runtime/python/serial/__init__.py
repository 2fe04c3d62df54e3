"""Serial ports, with pyserial's interface, on the ports of the hub.

An implementation of Cordon's own. Only ports exist that the grant ``serial`` names
or that the operator typed as the instance's ``SerialPort``. See
``serial.serialutil`` for what the hub's ports cannot do.
"""

import importlib

from serial.serialutil import *
from serial.serialport import PosixPollSerial, Serial, VTIMESerial

__version__ = "3.5"
VERSION = __version__

# Packages with a module `protocol_NAME` for each scheme of `serial_for_url`.
protocol_handler_packages = ["serial.urlhandler"]


def serial_for_url(url, *args, **kwargs):
    """A port for a path or for ``scheme://...``.

    ``socket://HOST:PORT``, ``rfc2217://HOST:PORT`` and ``loop://`` are there. With
    ``do_not_open=True`` the port is configured only.
    """
    open_it = not kwargs.pop("do_not_open", False)
    make = Serial
    lowered = url.lower() if isinstance(url, str) else ""
    if "://" in lowered:
        scheme = lowered.split("://", 1)[0]
        for package in protocol_handler_packages:
            try:
                module = importlib.import_module(".protocol_" + scheme, package)
            except ImportError:
                continue
            if hasattr(module, "serial_class_for_url"):
                url, make = module.serial_class_for_url(url)
            else:
                make = module.Serial
            break
        else:
            raise ValueError("invalid URL, protocol %r not known" % scheme)
    port = make(None, *args, **kwargs)
    port.port = url
    if open_it:
        port.open()
    return port
