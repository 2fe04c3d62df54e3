"""Starting a process, which a plugin cannot."""

from _cordon_refusal import refusal

__all__ = ["Popen"]


class Popen:
    method = "fork"

    def __init__(self, process_obj):
        raise refusal(
            "multiprocessing.Process",
            "a plugin is one process; use threading, multiprocessing.pool.ThreadPool or"
            " concurrent.futures.ThreadPoolExecutor",
        )
