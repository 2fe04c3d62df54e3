//! Modules that plugins import although they cannot work here, and those that
//! Python dropped.

use crate::probe::all_hold;
use crate::support::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_at_use() {
    let source = r#"
import os
NO = 'not available to plugins'

@case
def signals():
    import signal
    seen = []
    assert signal.signal(signal.SIGTERM, lambda *a: seen.append(a[0])) == signal.SIG_DFL
    signal.raise_signal(signal.SIGTERM); os.kill(os.getpid(), signal.SIGTERM)
    assert seen == [15, 15] and signal.Signals(2).name == 'SIGINT'
    raises(OSError, NO, lambda: signal.alarm(1))
    raises(ProcessLookupError, 'No process of this plugin', lambda: os.kill(1, 9))

@case
def native_code():
    import ctypes, ctypes.util, mmap
    assert ctypes.util.find_library('c') is None and ctypes.c_int(3).value == 3
    class Record(ctypes.Structure):
        _fields_ = [('a', ctypes.c_int)]
    for call in (Record, lambda: ctypes.CDLL('libc.so.6'), lambda: ctypes.cdll.kernel32,
                 lambda: ctypes.byref(ctypes.c_int()), lambda: mmap.mmap(-1, 10)):
        raises(OSError, NO, call)

@case
def processes():
    import multiprocessing, multiprocessing.dummy
    from multiprocessing.pool import ThreadPool
    raises(OSError, 'os.fork is not available', lambda: os.fork())
    raises(OSError, NO, multiprocessing.Process(target=print).start)
    with ThreadPool(2) as pool:
        assert pool.map(lambda x: x * x, range(5)) == [0, 1, 4, 9, 16]
    with multiprocessing.dummy.Pool(2) as pool:
        assert pool.apply(max, (1, 2)) == 2
    queue = multiprocessing.Queue(); queue.put({'a': 1}); assert queue.get(timeout=20) == {'a': 1}
    with multiprocessing.Lock(): pass
    value = multiprocessing.Value('i', 3)
    with value.get_lock(): value.value += 1
    assert value.value == 4

@case
def imports_are_harmless():
    import cProfile, crypt, curses, fcntl, pty, readline, resource, syslog, termios, tkinter
    import tracemalloc, tty
    raises(OSError, NO, curses.initscr)
    raises(OSError, NO, tkinter.Tk)
    raises(OSError, NO, tracemalloc.start)
    raises(OSError, NO, lambda: crypt.crypt('a', 'b'))
    raises(termios.error, 'ioctl', lambda: termios.tcgetattr(0))
    syslog.syslog(syslog.LOG_ERR, 'to the log')
    profile = cProfile.Profile(); assert profile.runcall(max, 1, 2) == 2
"#;
    let mut bench = Bench::new();
    all_hold(&mut bench, "Refused", source, "").await;
    bench.line("Refused: to the log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_modules_are_there_and_those_of_python_2_are_not() {
    let source = r#"
@case
def versions_and_words():
    from distutils.version import LooseVersion, StrictVersion
    from distutils.util import strtobool
    from distutils.dir_util import copy_tree
    assert LooseVersion('1.10') > LooseVersion('1.9') and StrictVersion('1.0a1') < '1.0'
    assert strtobool('Yes') == 1 and strtobool('off') == 0
    import pkg_resources
    assert pkg_resources.parse_version('2.10') > pkg_resources.parse_version('2.9')
    raises(pkg_resources.DistributionNotFound, 'nosuch', lambda: pkg_resources.get_distribution('nosuch'))

@case
def everything_imports():
    import asynchat, asyncore, cgi, cgitb, imghdr, imp, pipes, telnetlib, uu
    assert cgi.parse_header('text/html; charset="utf-8"') == ('text/html', {'charset': 'utf-8'})
    assert imghdr.what(None, b'\x89PNG\r\n\x1a\n') == 'png' and pipes.quote('a b') == "'a b'"
    module = imp.new_module('made'); assert module.__name__ == 'made'

@case
def python_2_is_not_pretended():
    import importlib
    for name in ('Queue', 'urllib2', 'ConfigParser', 'StringIO', 'httplib', 'urlparse',
                 'SocketServer', 'BaseHTTPServer', '_winreg', 'winreg', 'msvcrt'):
        raises(ImportError, name, lambda: importlib.import_module(name))
"#;
    let mut bench = Bench::new();
    all_hold(&mut bench, "Dropped", source, "").await;
}
