"""Local time and clocks for an interpreter whose platform has neither zones nor
processes.

WASI knows UTC only. The module owns the local part of module ``time``, which follows
the zone that the hub, or ``TZ`` in the instance's environment, names, summer time
included; the rules are those that ``_cordon_zone`` carries. It never replaces functions
that the platform has.
"""

import operator
import sys
import time
import types

try:
    import _cordon_zone as zone
except ImportError:
    # Outside of the component the platform has all of this.
    zone = None

CLOCK_REALTIME = 0
CLOCK_MONOTONIC = 1
CLOCK_PROCESS_CPUTIME_ID = 2
CLOCK_THREAD_CPUTIME_ID = 3
CLOCK_MONOTONIC_RAW = 4
CLOCK_BOOTTIME = 7

# The hub's zone at the start: its name and the distance from UTC.
_hub_zone = ("", 0)

_strftime = time.strftime
_get_clock_info = getattr(time, "get_clock_info", None)


def is_component():
    """Whether this is the interpreter of a plugin and not that of a developer."""
    return zone is not None


def install():
    """Fills the gaps of module ``time``; True if there were any.

    Has to run before ``datetime`` is imported and before ``logging`` keeps a
    reference to ``time.localtime``.
    """
    if hasattr(time, "tzset") or zone is None:
        return False
    time.localtime = zone.localtime
    time.mktime = mktime
    time.strftime = strftime
    time.ctime = ctime
    time.asctime = asctime
    time.tzset = tzset
    time.process_time = process_time
    time.process_time_ns = process_time_ns
    # All threads together: the hub does not tell them apart.
    time.thread_time = process_time
    time.thread_time_ns = process_time_ns
    time.clock_gettime = clock_gettime
    time.clock_gettime_ns = clock_gettime_ns
    time.clock_getres = clock_getres
    time.get_clock_info = get_clock_info
    time.clock_settime = time.clock_settime_ns = clock_settime
    for name in list(globals()):
        if name.startswith("CLOCK_"):
            setattr(time, name, globals()[name])
    zone.set_offset(0)
    _constants()
    return True


def set_zone(name, offset):
    """Takes over the hub's zone; nothing if the platform knows its own."""
    global _hub_zone
    if zone is None or time.tzset is not tzset:
        return
    _hub_zone = (name, offset)
    tzset()


def tzset():
    """``time.tzset``: the zone that ``TZ`` names, else the hub's."""
    import os

    name, offset = _hub_zone
    wanted = os.environ.get("TZ")
    # As in the C library, a zone that nobody knows is UTC.
    if wanted is not None:
        name, offset = wanted or "UTC", 0
    if not (name and zone.set_zone(name)):
        zone.set_offset(offset)
    _constants()


def _constants():
    year = time.gmtime().tm_year
    time.timezone, time.altzone, time.daylight, time.tzname = zone.constants(year)


def mktime(moment):
    if not isinstance(moment, tuple) or len(moment) != 9:
        raise TypeError("mktime(): illegal time tuple argument")
    return zone.mktime(tuple(moment))


def _with_zone(format, moment):
    """Fills in ``%Z`` and ``%z``, which the platform's form leaves empty."""
    name = getattr(moment, "tm_zone", None)
    offset = getattr(moment, "tm_gmtoff", None)
    if name is None:
        summer = len(moment) > 8 and moment[8] > 0
        name = time.tzname[1 if summer else 0]
        offset = -(time.altzone if summer else time.timezone)
    minutes = abs(offset) // 60
    sign = "-" if offset < 0 else "+"
    pieces = {"Z": name.replace("%", "%%"), "z": "%s%02d%02d" % (sign, minutes // 60, minutes % 60)}
    return "%%".join(_filled(part, pieces) for part in format.split("%%"))


def _filled(part, pieces):
    for letter, value in pieces.items():
        part = part.replace("%" + letter, value)
    return part


_RANGES = (
    ("month", 1, 12),
    ("day of month", 1, 31),
    ("hour", 0, 23),
    ("minute", 0, 59),
    ("seconds", 0, 61),
    ("day of week", -1, 6),
    ("day of year", 1, 366),
)
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _checked(moment):
    """The nine numbers of a moment, with the smallest that there is for a zero."""
    if not isinstance(moment, tuple):
        raise TypeError("Tuple or struct_time argument required")
    if len(moment) != 9:
        raise TypeError("a moment has 9 numbers, not %d" % len(moment))
    values = [operator.index(value) for value in moment]
    if not -(2**31) <= values[0] - 1900 < 2**31:
        raise OverflowError("year out of range")
    for place in (1, 2, 7):
        values[place] = values[place] or 1
    for value, (name, least, most) in zip(values[1:8], _RANGES):
        if not least <= value <= most:
            raise ValueError(name + " out of range")
    values[6] %= 7
    return values


def strftime(format, moment=None):
    if moment is None:
        moment = time.localtime()
    if not isinstance(format, str):
        raise TypeError("strftime() argument 1 must be str, not %s" % type(format).__name__)
    values = _checked(moment)
    if "%Z" in format or "%z" in format:
        format = _with_zone(format, moment)
    year = values[0]
    if not 1000 <= year <= 9999:
        # The platform knows four digits. All but the year is the same in this one.
        values[0] = 2000 + year % 400
    pieces = {
        "c": "%a %b %e %H:%M:%S " + str(year),
        "x": "%m/%d/%y",
        "X": "%H:%M:%S",
        "Y": str(year),
    }
    format = "%%".join(_filled(part, pieces) for part in format.split("%%"))
    return _strftime(format, tuple(values))


def asctime(moment=None):
    year, month, day, hour, minute, second, weekday, *_ = _checked(
        time.localtime() if moment is None else moment
    )
    return "%s %s%3d %02d:%02d:%02d %d" % (
        _DAYS[(weekday + 1) % 7],
        _MONTHS[month - 1],
        day,
        hour,
        minute,
        second,
        year,
    )


def ctime(seconds=None):
    return asctime(time.localtime(seconds))


def process_time_ns():
    return zone.cpu_time()


def process_time():
    return zone.cpu_time() / 1e9


def clock_gettime_ns(clock):
    if clock == CLOCK_REALTIME:
        return time.time_ns()
    if clock in (CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME):
        return time.monotonic_ns()
    if clock in (CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID):
        return zone.cpu_time()
    raise _invalid()


def clock_gettime(clock):
    return clock_gettime_ns(clock) / 1e9


def clock_getres(clock):
    if clock in (
        CLOCK_REALTIME,
        CLOCK_MONOTONIC,
        CLOCK_PROCESS_CPUTIME_ID,
        CLOCK_THREAD_CPUTIME_ID,
        CLOCK_MONOTONIC_RAW,
        CLOCK_BOOTTIME,
    ):
        return 1e-9
    raise _invalid()


def get_clock_info(name):
    if name not in ("process_time", "thread_time"):
        return _get_clock_info(name)
    return types.SimpleNamespace(
        implementation="clock_gettime(CLOCK_%s_CPUTIME_ID)" % name[:-5].upper(),
        monotonic=True,
        adjustable=False,
        resolution=1e-9,
    )


def clock_settime(clock, value):
    import errno

    raise PermissionError(errno.EPERM, "the clock is the hub's and cannot be set")


def _invalid():
    import errno

    return OSError(errno.EINVAL, "Invalid argument")
