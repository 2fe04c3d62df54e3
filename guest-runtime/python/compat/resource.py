"""Computing time of the plugin. The limits are the hub's and can be neither read nor
set here."""

import time as _time
from collections import namedtuple

error = OSError

RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD = 0, -1, 1
RLIM_INFINITY = -1
RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE = 0, 1, 2, 3, 4
RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS = 5, 6, 7, 8, 9

struct_rusage = namedtuple(
    "struct_rusage",
    "ru_utime ru_stime ru_maxrss ru_ixrss ru_idrss ru_isrss ru_minflt ru_majflt ru_nswap"
    " ru_inblock ru_oublock ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw",
)


def getrusage(who):
    if who not in (RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD):
        raise ValueError("invalid who parameter")
    used = 0.0 if who == RUSAGE_CHILDREN else _time.process_time()
    return struct_rusage(used, *[0.0] + [0] * 14)


def getpagesize():
    return 65536


# The number of open files and sockets that programs plan with. The hub has its own limit.
_FILES = 1024


def getrlimit(resource):
    most = _FILES if resource == RLIMIT_NOFILE else RLIM_INFINITY
    return (most, most)


def setrlimit(resource, limits):
    from _cordon_refusal import refusal

    raise refusal("resource.setrlimit", "limits are set in the hub's configuration")
