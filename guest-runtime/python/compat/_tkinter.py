"""The base of ``tkinter``: there is no display."""

from _cordon_refusal import refused as _refused


class TclError(Exception):
    pass


class Tcl_Obj:
    pass


class TkappType:
    pass


class TkttType:
    pass


READABLE, WRITABLE, EXCEPTION = 2, 4, 8
WINDOW_EVENTS, FILE_EVENTS, TIMER_EVENTS, IDLE_EVENTS = 4, 8, 16, 32
ALL_EVENTS, DONT_WAIT = -3, 2
TK_VERSION = TCL_VERSION = "8.6"

create = _refused("tkinter", "a plugin has no display")


def _flatten(sequence):
    flat = []
    for entry in sequence:
        if isinstance(entry, (list, tuple)):
            flat.extend(_flatten(entry))
        elif entry is not None:
            flat.append(entry)
    return tuple(flat)


def getbusywaitinterval():
    return 20


def setbusywaitinterval(value):
    return None
