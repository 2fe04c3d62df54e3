"""Times one micro-program. The same file in every arm, and the clock of that arm."""

import time

import micro


def milliseconds(name):
    program = getattr(micro, name)
    started = time.perf_counter()
    result = program()
    took = time.perf_counter() - started
    if result != micro.RESULTS[name]:
        raise AssertionError("%s gave %r" % (name, result))
    return took * 1000
