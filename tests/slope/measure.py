import gc, itertools, json, os, time, traceback
import _cordon, _cordon_heap

# Bytes that a call may leave behind on average, and bytes that are left however often it is called.
EACH, ONCE = 1, 6144

# Some tables grow by doubling: those are few blocks, and no more bytes than this. The largest
# is the list of memory that the interpreter retired: 64 KiB of the smallest values may wait in it.
BLOCKS, TABLES = 8, 8 * 65536

# The C library's heap, in which SQLite is, is seen by whole pages only; and cycles pile up
# until they are collected.
PAGES = 16 * 65536

OPTIONS = {}
CASES, RESULTS = [], []


def measure(*functions, share=1):
    """Declares a case: `prepare` returns the function that is called again and again.

    `functions` of the contract are the point of the case. Where one call costs much,
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
    """Tells what `count` calls left behind; whether that is no more than it may be."""
    after = settled()
    grown, blocks, memory = (after[n] - before[n] for n in range(3))
    level = (grown < EACH * count + ONCE or blocks <= BLOCKS and grown < TABLES) and (
        memory < EACH * count + PAGES
    )
    RESULTS.append(
        "%s %s: %d bytes and %d blocks in %d calls, memory %d"
        % ("level" if level else "GROWS", name, grown, blocks, count, memory)
    )
    return level


def failed(name):
    RESULTS.append("FAILED %s: %s" % (name, traceback.format_exc().replace("\n", " | ")))


def repeat(prepare, share):
    count = max(int(OPTIONS["count"] / share), 10)
    name = prepare.__name__
    try:
        work = prepare()
        # Tables grow by halves: the first calls are not counted.
        for _ in range(max(count // 4, 40)):
            work()
        if measured(name, work, count):
            return
        # A table that grew once is large enough now. A table that grows with the calls has
        # doubled again before there were three times as many.
        once = RESULTS.pop()
        if measured(name, work, 2 * count):
            RESULTS[-1] += " (before: %s)" % once.split(": ", 1)[1]
    except Exception:
        failed(name)


def measured(name, work, count):
    before = settled()
    for _ in range(count):
        work()
    return result(name, count, before)


def some_cases():
    """Runs cases for some seconds; whether all have run."""
    begun = time.monotonic()
    while CASES and time.monotonic() - begun < 5:
        repeat(*CASES.pop(0))
    return not CASES


def tell():
    """Repeats the findings: a flood of lines may have pushed it out."""
    for line in RESULTS:
        say("slope " + line)
    say("slope: all %d told" % len(RESULTS))
