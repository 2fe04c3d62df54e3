"""The module that plugins of the extended framework import.

The names in ``__all__`` are all that the original has; nothing else here is for
plugins. Connections and images are those of the legacy framework.
"""

import _cordon_register as _register
from _cordon_announcement import SendNotification, WebSocketSend
from _cordon_connection import Connection
from _cordon_device_ex import Device
from _cordon_functions import (
    Configuration,
    Debug,
    Debugging,
    Dump,
    Error,
    Heartbeat,
    Log,
    Notifier,
    Status,
    Trace,
)
from _cordon_image import Image
from _cordon_unit import Unit

__all__ = [
    "Configuration",
    "Connection",
    "Debug",
    "Debugging",
    "Device",
    "Dump",
    "Error",
    "Heartbeat",
    "Image",
    "Log",
    "Notifier",
    "Register",
    "SendNotification",
    "Status",
    "Trace",
    "Unit",
    "WebSocketSend",
]


def Register(*args, **kwargs):
    """Names the classes that the framework makes devices and units of (spec 4.8)."""
    _register.register(Device, Unit, args, kwargs)
