"""``curses``: there is no terminal in a component."""

from _cordon_refusal import refused as _refused


class error(Exception):
    pass


_WHY = "a plugin has no terminal"

initscr = wrapper = setupterm = newwin = start_color = _refused("curses", _WHY)
ERR, OK = -1, 0
