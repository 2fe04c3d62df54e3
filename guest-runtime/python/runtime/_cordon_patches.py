"""Small changes to modules of the standard library, made when they are imported.

Owns the functions that plugins expect and that this version of the library no longer
has or cannot do here. A patch runs right after its module; modules that are loaded
already are patched at once.
"""

import sys
from importlib.machinery import FrozenImporter


def _asyncio_events(module):
    """``get_event_loop`` makes a loop for the main thread, as before Python 3.14."""
    import threading

    policy = module._BaseDefaultEventLoopPolicy

    def get_event_loop(self):
        if self._local._loop is None and (threading.current_thread() is threading.main_thread()):
            self.set_event_loop(self.new_event_loop())
        if self._local._loop is None:
            raise RuntimeError(
                "There is no current event loop in thread %r." % threading.current_thread().name
            )
        return self._local._loop

    policy.get_event_loop = get_event_loop


def _asyncio_unix_events(module):
    """``loop.sock_sendfile`` reads and sends: ``os.sendfile`` would wait for a slow peer."""

    async def _sock_sendfile_native(self, sock, file, offset, count):
        raise module.exceptions.SendfileNotAvailableError("files are read and sent")

    module._UnixSelectorEventLoop._sock_sendfile_native = _sock_sendfile_native


def _selectors(module):
    """``epoll`` is made of ``poll``, which is therefore the quicker one."""
    module.DefaultSelector = module.PollSelector


# Locales that are as the C locale in all but the name. Others would have to change
# the names of months, and plugins that ask for them have to expect a refusal.
_LOCALES = (
    "",
    "C",
    "POSIX",
    "C.UTF-8",
    "C.utf8",
    "en_US.UTF-8",
    "en_US.utf8",
    "en_GB.UTF-8",
    "en_GB.utf8",
    "en_US",
    "en_GB",
)


def _locale(module):
    """``setlocale`` takes English; ``format`` is there again."""
    current = {}

    def setlocale(category, locale=None):
        if locale is None:
            return current.get(category, "C.UTF-8")
        if isinstance(locale, (tuple, list)):
            locale = ".".join(part for part in locale if part)
        if locale not in _LOCALES:
            raise module.Error("unsupported locale setting")
        name = locale or "C.UTF-8"
        if category == module.LC_ALL:
            for each in range(7):
                current[each] = name
        else:
            current[category] = name
        return name

    def format(percent, value, grouping=False, monetary=False, *additional):
        return module.format_string(
            percent, (value, *additional) if additional else value, grouping, monetary
        )

    module._setlocale = module.setlocale = setlocale
    if not hasattr(module, "format"):
        module.format = format


def _zoneinfo_common(module):
    """Zone data is that of the component."""
    import _cordon_zone

    refuse = module.load_tzdata

    def load_tzdata(key):
        try:
            data = _cordon_zone.data(key)
        except UnicodeError:
            data = None
        if data is None:
            return refuse(key)
        import io

        return io.BytesIO(data)

    module.load_tzdata = load_tzdata


def _zoneinfo_tzpath(module):
    listed, folders = module.available_timezones, module.TZPATH

    def available_timezones():
        # A program that sets folders of its own means those.
        if module.TZPATH is not folders:
            return listed()
        import _cordon_zone

        return set(_cordon_zone.names())

    module.available_timezones = available_timezones


def _platform(module):
    """Knows nothing of a C library: there is no file to look into."""
    module.libc_ver = lambda executable=None, lib="", version="", chunksize=16384: (lib, version)


def _inspect(module):
    """``getargspec`` is there again."""
    from collections import namedtuple

    ArgSpec = namedtuple("ArgSpec", "args varargs keywords defaults")

    def getargspec(func):
        found = module.getfullargspec(func)
        if found.kwonlyargs or found.annotations:
            raise ValueError(
                "the function has keyword-only parameters or annotations; use inspect.signature()"
            )
        return ArgSpec(found.args, found.varargs, found.varkw, found.defaults)

    module.ArgSpec, module.getargspec = ArgSpec, getargspec


def _logging(module):
    """The functions around the module's lock are there again."""
    module._acquireLock, module._releaseLock = module._lock.acquire, module._lock.release


PATCHES = {
    "asyncio.events": _asyncio_events,
    "asyncio.unix_events": _asyncio_unix_events,
    "inspect": _inspect,
    "locale": _locale,
    "logging": _logging,
    "platform": _platform,
    "selectors": _selectors,
    "zoneinfo._common": _zoneinfo_common,
    "zoneinfo._tzpath": _zoneinfo_tzpath,
}


class Finder:
    """Finds the modules with a patch and runs the patch right after the module."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        patch = PATCHES.get(name)
        if patch is None:
            return None
        spec = FrozenImporter.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader, patch)
        return spec


class _Loader:
    def __init__(self, loader, patch):
        self._loader = loader
        self._patch = patch

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        self._patch(module)


def install():
    for name, patch in PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])
    sys.meta_path.insert(0, Finder)
