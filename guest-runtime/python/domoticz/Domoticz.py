"""The module that plugins of the legacy framework import.

The names in ``__all__`` are all that the original has; nothing else here is for
plugins.
"""

import _cordon_register as _register
from _cordon_announcement import SendNotification, WebSocketSend
from _cordon_connection import Connection
from _cordon_device import Device
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
    "WebSocketSend",
]


def Register(*args, **kwargs):
    """Names the class that the framework makes devices of (spec 4.8)."""
    _register.register(Device, None, args, kwargs)
