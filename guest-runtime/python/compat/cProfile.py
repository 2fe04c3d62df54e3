"""``cProfile`` over the profiler that is written in Python."""

import profile as _profile
from profile import run, runctx

__all__ = ["run", "runctx", "Profile"]


class Profile(_profile.Profile):
    """As ``profile.Profile``, with ``enable`` refused: this interpreter can only
    profile code that it is told to run."""

    def __init__(self, timer=None, timeunit=0.0, subcalls=True, builtins=True):
        super().__init__(timer)

    def enable(self, subcalls=True, builtins=True):
        from _cordon_refusal import refusal

        raise refusal("cProfile.Profile.enable", "use runcall or runctx")

    def disable(self):
        return None

    __enter__ = enable

    def __exit__(self, *exc_info):
        self.disable()
