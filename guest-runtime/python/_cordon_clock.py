"""Local time for an interpreter whose platform has no time zones.

WASI knows UTC only and RustPython leaves out what depends on a zone, without which
``datetime.strptime`` cannot even be imported. Owns the local part of module
``time``: a fixed distance from UTC, which the hub names at every start. It never
replaces what the platform has.
"""

import sys
import time

# Seconds east of UTC.
_offset = 0

_zone = "UTC"

_gmtime = time.gmtime
_time = time.time
_strftime = time.strftime
_asctime = time.asctime


def install():
    """Fills the gaps of module ``time``; True if there were any.

    Has to run before ``datetime`` is imported and before ``logging`` keeps a
    reference to ``time.localtime``.
    """
    if hasattr(time, "tzname"):
        return False
    time.localtime = localtime
    time.mktime = mktime
    time.strftime = strftime
    time.ctime = ctime
    time.asctime = asctime
    # The native forms ask the platform for local time and get UTC; the forms in
    # Python ask module `time`. They are slower, and right.
    sys.modules["_datetime"] = None
    sys.modules["_zoneinfo"] = None
    set_offset(0)
    return True


def set_offset(seconds):
    """Sets how far local time is from UTC; nothing if the platform knows."""
    global _offset, _zone
    if time.localtime is not localtime:
        return
    _offset = seconds
    _zone = _name(seconds)
    time.timezone = time.altzone = -seconds
    time.daylight = 0
    # _strptime compares this with what it was built for and starts afresh.
    time.tzname = (_zone, _zone)


def _name(seconds):
    if seconds == 0:
        return "UTC"
    minutes = abs(seconds) // 60
    return "%s%02d%02d" % ("+" if seconds > 0 else "-", minutes // 60, minutes % 60)


def localtime(seconds=None):
    now = _time() if seconds is None else seconds
    fields = tuple(_gmtime(now + _offset))[:8]
    return time.struct_time(fields + (0, _zone, _offset))


def mktime(moment):
    import calendar

    return float(calendar.timegm(tuple(moment)[:6]) - _offset)


def strftime(format, moment=None):
    return _strftime(format, localtime() if moment is None else moment)


def asctime(moment=None):
    return _asctime(localtime() if moment is None else moment)


def ctime(seconds=None):
    return _asctime(localtime(seconds))
