import gc, itertools, json, os, time, traceback
import _cordon, _cordon_heap

# Bytes that a call may leave behind on average, and what tables may grow by however
# often it is called. The C library's heap is seen by whole pages only.
EACH, TABLES, PAGES = 8, 6144, 6 * 65536

OPTIONS = {}
CASES, RESULTS = [], []


def measure(*functions, share=1):
    """Declares a case: `prepare` returns what is called again and again.

    `functions` of the contract are what the case is there for. Where one call costs much,
    `share` makes it fewer.
    """
    def keep(prepare):
        CASES.append((prepare, share))
        return prepare
    return keep


def covers(*functions):
    """Names functions of the contract that are called outside of a case."""


def settled():
    gc.collect()
    return _cordon_heap.in_use()


def result(name, count, before):
    after = settled()
    grown, memory = after[0] - before[0], after[2] - before[2]
    level = grown < EACH * count + TABLES and memory < EACH * count + PAGES
    RESULTS.append("%s %s: %d bytes and %d blocks in %d calls, memory %d" % (
        "level" if level else "GROWS", name, grown, after[1] - before[1], count, memory))


def failed(name):
    RESULTS.append("FAILED %s: %s" % (name, traceback.format_exc().replace("\n", " | ")))


def repeat(prepare, share):
    count = max(int(OPTIONS["count"] / share), 10)
    try:
        work = prepare()
        # Tables grow by halves: the first calls are not counted.
        for _ in range(max(count // 4, 40)):
            work()
        before = settled()
        for _ in range(count):
            work()
    except Exception:
        failed(prepare.__name__)
    else:
        result(prepare.__name__, count, before)


def some_cases():
    """Runs cases for some seconds; whether all have run."""
    begun = time.monotonic()
    while CASES and time.monotonic() - begun < 5:
        repeat(*CASES.pop(0))
    return not CASES


def tell():
    """Says what was found, again and again: a flood of lines may have pushed it out."""
    for line in RESULTS:
        say("slope " + line)
    say("slope: all %d told" % len(RESULTS))
