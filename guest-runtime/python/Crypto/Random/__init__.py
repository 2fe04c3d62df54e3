"""Random bytes of the system."""

import os

get_random_bytes = os.urandom


class _Source:
    def read(self, count):
        return os.urandom(count)


def new(*args, **kwargs):
    return _Source()
