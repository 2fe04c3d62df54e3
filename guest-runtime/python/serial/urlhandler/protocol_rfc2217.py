"""``rfc2217://HOST:PORT``: see ``serial.rfc2217``."""

from serial.rfc2217 import Serial
