"""The base of ``tracemalloc``: allocations of this interpreter are not traced."""

from _cordon_refusal import refused as _refused

start = _refused("tracemalloc.start", "the hub shows the memory of each plugin")


def stop():
    return None


clear_traces = reset_peak = stop


def is_tracing():
    return False


def get_traced_memory():
    return (0, 0)


def get_tracemalloc_memory():
    return 0


def get_traceback_limit():
    return 1


def _get_traces():
    return []


def _get_object_traceback(obj):
    return None
