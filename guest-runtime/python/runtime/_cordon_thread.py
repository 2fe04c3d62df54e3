"""Python's ``_thread`` over the hub's threads.

Owns the Python half of threading: handles, starting, joining, the switch interval.
``_cordon_lock`` is the native half. ``install`` puts both in the place of RustPython's
own, which would start threads of the operating system and wait on its locks. It runs
once, before the snapshot and before ``threading`` is imported.
"""

import sys
import time
import weakref
import _thread

import _cordon_lock

# threading.get_ident() of the task that runs callbacks.
MAIN = 1

# CPython names the tools 0 debugger, 1 coverage, 2 profiler, 5 optimizer.
_TOOL = 4

_allocate = _cordon_lock.lock

# Threads that run now, without the main one.
_running = 0

# The numbers of threads whose function runs, the main one among them.
_idents = {MAIN}

# Exceptions that wait for their thread, by its number.
_waiting = {}


class ThreadHandle:
    """A thread that can be joined, as ``threading.Thread`` holds it."""

    __slots__ = ("ident", "_state", "_done", "__weakref__")

    def __init__(self):
        self.ident = 0
        self._state = "new"
        # Held until the thread has ended.
        self._done = _allocate()
        self._done.acquire()

    def __repr__(self):
        return "<_ThreadHandle object: ident=%d>" % self.ident

    def is_done(self):
        return self._state == "done"

    def _begin(self):
        if self._state != "new":
            raise RuntimeError("thread already started")
        self._state = "running"

    def _set_done(self):
        if self._state == "new":
            raise RuntimeError("thread not started")
        if self._state != "done":
            self._state = "done"
            self._done.release()

    def join(self, timeout=None):
        if self._state == "new":
            raise RuntimeError("thread not started")
        if self._state == "done":
            return
        if self.ident == _cordon_lock.get_ident():
            raise RuntimeError("Cannot join current thread")
        if timeout is None or timeout < 0:
            timeout = -1
        # Everybody who waits takes the lock and gives it back.
        if self._done.acquire(True, timeout):
            self._done.release()


def _begin_switching():
    """Turns the switch interval on: a second thread is there."""
    monitoring = sys.monitoring
    events = monitoring.events
    if monitoring.get_tool(_TOOL) is None:
        monitoring.use_tool_id(_TOOL, "cordon threads")
        _call_at_events(_cordon_lock.tick)
    monitoring.set_events(_TOOL, events.JUMP | events.PY_START)


def _end_switching():
    """Turns the switch interval off: a plugin with one thread pays nothing."""
    if not _waiting:
        sys.monitoring.set_events(_TOOL, 0)


def _call_at_events(function):
    """Has a function called at every jump and at every start of a function."""
    monitoring = sys.monitoring
    for event in (monitoring.events.JUMP, monitoring.events.PY_START):
        monitoring.register_callback(_TOOL, event, function)


def _raise_waiting(*event):
    """Raises the exception that waits for the running thread, in the place of ``tick``."""
    failure = _waiting.pop(_cordon_lock.get_ident(), None)
    if failure is not None:
        _nothing_waits()
        raise failure
    _cordon_lock.tick()


def _nothing_waits():
    """Gives the events back to ``tick`` when no exception waits any more."""
    if not _waiting:
        _call_at_events(_cordon_lock.tick)
        if _running == 0:
            _end_switching()


def raise_in_thread(ident, failure):
    """Has ``failure``, a class of exceptions or an exception, raised in another thread at its next
    jump or call; ``None`` takes back one that still waits.

    Returns the number of threads that this is about: 0 if none of this number runs. A thread that
    waits for something goes on waiting until then, as in CPython.
    """
    if ident not in _idents:
        return 0
    if failure is None:
        if _waiting.pop(ident, None) is not None:
            _nothing_waits()
        return 1
    _waiting[ident] = failure
    _begin_switching()
    _call_at_events(_raise_waiting)
    return 1


def _start(handle, function, args, kwargs):
    global _running

    def run():
        ident = _cordon_lock.get_ident()
        _idents.add(ident)
        try:
            function(*args, **kwargs)
        except SystemExit:
            pass
        except BaseException:
            _report(function)
        finally:
            # First of all: an exception for this thread must not be raised among these steps.
            _idents.discard(ident)
            if _waiting.pop(ident, None) is not None:
                _nothing_waits()
            _ended()
            _forget_spaces(handle.ident)
            handle._set_done()

    handle._begin()
    if _running == 0:
        _begin_switching()
    _running += 1
    try:
        handle.ident = _cordon_lock.spawn(run)
    except BaseException:
        _ended()
        handle._state = "new"
        raise
    return handle


def _ended():
    global _running
    _running -= 1
    if _running == 0:
        _end_switching()


def _report(function):
    """Reports an exception that no thread caught; ``threading`` handles its own."""
    kind, value, trace = sys.exc_info()
    sys.unraisablehook(
        _Unraisable(kind, value, trace, "Exception ignored in thread started by", function)
    )


# Every threading.local there is, so that a thread's values end with it.
_locals = weakref.WeakSet()


class Local:
    """``threading.local``: one namespace per thread.

    ``__dict__`` is exchanged for that of the running thread at each access. No
    task can come in between, because the access itself does not block.
    """

    __slots__ = ("_local__spaces", "_local__arguments", "__dict__", "__weakref__")

    def __new__(cls, /, *args, **kwargs):
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        object.__setattr__(self, "_local__arguments", (args, kwargs))
        space = object.__getattribute__(self, "__dict__")
        object.__setattr__(self, "_local__spaces", {_cordon_lock.get_ident(): space})
        _locals.add(self)
        return self

    def __getattribute__(self, name):
        _enter_space(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        _check_writable(self, name)
        _enter_space(self)
        return object.__setattr__(self, name, value)

    def __delattr__(self, name):
        _check_writable(self, name)
        _enter_space(self)
        return object.__delattr__(self, name)


Local.__name__ = Local.__qualname__ = "_local"
Local.__module__ = "_thread"


def _check_writable(local, name):
    if name == "__dict__":
        kind = object.__getattribute__(local, "__class__").__name__
        raise AttributeError("%r object attribute '__dict__' is read-only" % kind)


def _enter_space(local):
    spaces = object.__getattribute__(local, "_local__spaces")
    ident = _cordon_lock.get_ident()
    space = spaces.get(ident)
    if space is not None:
        object.__setattr__(local, "__dict__", space)
        return
    space = spaces[ident] = {}
    object.__setattr__(local, "__dict__", space)
    kind = object.__getattribute__(local, "__class__")
    if kind.__init__ is not object.__init__:
        args, kwargs = object.__getattribute__(local, "_local__arguments")
        kind.__init__(local, *args, **kwargs)


def _forget_spaces(ident):
    for local in list(_locals):
        object.__getattribute__(local, "_local__spaces").pop(ident, None)


class _Unraisable:
    __slots__ = ("exc_type", "exc_value", "exc_traceback", "err_msg", "object")

    def __init__(self, exc_type, exc_value, exc_traceback, err_msg, function):
        self.exc_type = exc_type
        self.exc_value = exc_value
        self.exc_traceback = exc_traceback
        self.err_msg = err_msg
        self.object = function


def start_new_thread(function, args, kwargs=None, /):
    """Starts a thread that nobody joins; returns its ident."""
    if not callable(function):
        raise TypeError("first arg must be callable")
    if not isinstance(args, tuple):
        raise TypeError("2nd arg must be a tuple")
    return _start(ThreadHandle(), function, args, kwargs or {}).ident


def start_joinable_thread(function, handle=None, daemon=True):
    """Starts a thread; returns the handle with which it is joined."""
    if not callable(function):
        raise TypeError("thread function must be callable")
    return _start(ThreadHandle() if handle is None else handle, function, (), {})


def _make_thread_handle(ident):
    handle = ThreadHandle()
    handle.ident = ident
    handle._state = "running"
    return handle


# The size that was asked for last.
_wanted_stack = 0

# Least size that is not refused.
_LEAST_STACK = 32 << 10


def stack_size(size=0, /):
    """Stacks have one size here; asking for another is remembered, no more."""
    global _wanted_stack
    if size < 0:
        raise ValueError("size must be 0 or a positive value")
    if 0 < size < _LEAST_STACK:
        raise ValueError("size not valid: %d bytes" % size)
    before, _wanted_stack = _wanted_stack, size
    return before


def get_native_id():
    """The id of the running thread; the hub's threads have no other."""
    return _cordon_lock.get_ident()


def install():
    """Makes ``_thread`` and ``time.sleep`` use the hub's threads."""
    for function in (
        start_new_thread,
        start_joinable_thread,
        get_native_id,
        stack_size,
    ):
        function.__module__ = "_thread"
    _thread.lock = _thread.LockType = _cordon_lock.lock
    _thread.allocate_lock = _thread.allocate = _cordon_lock.lock
    _thread.RLock = _cordon_lock.RLock
    _thread.get_ident = _cordon_lock.get_ident
    _thread.get_native_id = get_native_id
    _thread.start_new_thread = _thread.start_new = start_new_thread
    _thread.start_joinable_thread = start_joinable_thread
    _thread._ThreadHandle = ThreadHandle
    _thread._make_thread_handle = _make_thread_handle
    _thread._get_main_thread_ident = lambda: MAIN
    _thread._is_main_interpreter = lambda: True
    _thread._shutdown = lambda: None
    _thread._set_sentinel = _cordon_lock.lock
    _thread._count = lambda: _running
    _thread.stack_size = stack_size
    _thread.set_name = lambda name: None
    _thread._local = Local
    time.sleep = _cordon_lock.sleep
