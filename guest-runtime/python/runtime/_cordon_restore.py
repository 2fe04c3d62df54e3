"""Renews the state that instances must not share, after the snapshot.

Runs first in every instance. Everything else is part of the snapshot, see
`_cordon_boot`. The module knows nothing about the plugin API.
"""

import os
import sys
import time

import _cordon_clock


def restore(setup):
    """Renews the state that differs between instances."""
    zone = setup["time_zone"]
    _environment(setup["environment"], zone)
    _cordon_clock.set_zone(zone, setup["utc_offset"])
    _entropy()
    _moments()


def _environment(configured, zone):
    """Adds the variables of the configuration to ``os.environ``.

    It goes past ``putenv``: nothing in the component reads the C library's environment,
    and the first name that is put there takes longer than all the rest.
    """
    for name, value in ([("TZ", zone)] if zone else []) + configured:
        # Variables with other names are left out, as under any shell.
        if name and "=" not in name and "\0" not in name + value:
            os.environ._data[os.fsencode(name)] = os.fsencode(value)


def _entropy():
    """The generator that others draw from: ``email``, ``http`` and ``tempfile``.

    ``secrets``, ``random.SystemRandom`` and ``os.urandom`` ask the system each
    time and need nothing.
    """
    # The hidden instance behind random.random(); other instances in the
    # standard library are made on first use.
    sys.modules["random"].seed()


def _moments():
    """Renews the values that were computed from the clock."""
    # %(relativeCreated)d counts from here, in nanoseconds.
    sys.modules["logging"]._startTime = time.time_ns()
    # email.utils, calendar, datetime and http.cookiejar compute on each call;
    # _strptime compares the zone on each call (see _cordon_clock).
