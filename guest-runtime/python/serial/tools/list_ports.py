"""Ports that this plugin may open and that exist."""

import re

import _cordon_serial as hub

from serial.tools.list_ports_common import ListPortInfo


def comports(include_links=False):
    """The ports, as ``ListPortInfo``."""
    return [_info(*port) for port in hub.ports()]


def _info(path, vendor, product_id, serial_number, manufacturer, product):
    info = ListPortInfo(path)
    if vendor is not None:
        info.vid = vendor
        info.pid = product_id
        info.serial_number = serial_number
        info.manufacturer = manufacturer
        info.product = product
        info.apply_usb_info()
    return info


def grep(regexp, include_links=False):
    """Ports of which path, description or hardware id match."""
    expression = re.compile(regexp, re.I)
    for info in comports(include_links):
        if any(expression.search(text) for text in info):
            yield info
