"""RS-485: the settings, which the hub's ports refuse.

Adapters that switch direction by themselves need none of this.
"""

from serial.serialport import Serial


class RS485Settings:
    """Levels and delays of RTS around a transmission."""

    def __init__(self, rts_level_for_tx=True, rts_level_for_rx=False, loopback=False,
                 delay_before_tx=None, delay_before_rx=None):
        self.rts_level_for_tx = rts_level_for_tx
        self.rts_level_for_rx = rts_level_for_rx
        self.loopback = loopback
        self.delay_before_tx = delay_before_tx
        self.delay_before_rx = delay_before_rx


class RS485(Serial):
    """A port that cannot be switched to RS-485 here: setting the mode raises."""
