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
    for call in (lambda: ctypes.CDLL('libc.so.6'), lambda: ctypes.cdll.kernel32,
                 lambda: ctypes.pythonapi.Py_IncRef, lambda: ctypes.addressof(ctypes.c_int()),
                 lambda: mmap.mmap(-1, 10)):
        raises(OSError, NO, call)

@case
def data_of_c():
    import ctypes, struct
    class Address(ctypes.Structure):
        _fields_ = [('family', ctypes.c_uint16), ('data', ctypes.c_uint8 * 14)]
    class Packed(ctypes.BigEndianStructure):
        _pack_ = 1
        _fields_ = [('a', ctypes.c_uint8), ('b', ctypes.c_uint16)]
    one = Address(2, (1, 2, 3))
    one.data[13] = 300
    assert bytes(one) == b'\x02\x00\x01\x02\x03' + bytes(10) + b'\x2c' and ctypes.sizeof(one) == 16
    assert bytes(Packed(1, 2)) == b'\x01\x00\x02' and Packed.b.offset == 1
    assert Packed.from_buffer_copy(b'\x07\x01\x00').b == 256
    assert ctypes.sizeof(ctypes.c_long) == struct.calcsize('l') and ctypes.c_uint8(257).value == 1

@case
def an_exception_ends_another_thread():
    import ctypes, threading, time
    set_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
    hit, went = [], []
    def loop(wait):
        try:
            while True: wait()
        except SystemExit: hit.append(threading.current_thread().name)
    for name, wait in (('sleeper', lambda: time.sleep(0.01)), ('counter', lambda: None)):
        thread = threading.Thread(target=loop, args=(wait,), name=name)
        thread.start()
        assert set_exc(ctypes.c_long(thread.ident), ctypes.py_object(SystemExit)) == 1
        thread.join(20)
        assert not thread.is_alive()
        assert set_exc(thread.ident, ctypes.py_object(SystemExit)) == 0
    assert hit == ['sleeper', 'counter'], hit
    # Taken back before it was raised: the thread waits for something until then.
    gate, other = threading.Event(), threading.Thread(target=lambda: (gate.wait(), went.append(1)))
    other.start()
    assert set_exc(other.ident, ctypes.py_object(ValueError)) == 1
    assert set_exc(other.ident, None) == 1
    gate.set(); other.join(20)
    assert went == [1]
    # In the thread of the callbacks, with no other there.
    def here():
        set_exc(threading.get_ident(), ctypes.py_object(KeyError))
        for n in range(10): str(n)
    raises(KeyError, '', here)

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

/// The names of CPython's constants on this machine, by module, as JSON.
fn constants() -> String {
    let script = "
import errno, fcntl, json, os, select, socket, termios
kept = lambda value: isinstance(value, int) and not isinstance(value, bool)
print(json.dumps({module.__name__: [name for name, value in vars(module).items() if kept(value) and name[0] != '_']
    for module in (errno, fcntl, os, select, socket, termios)}))
";
    let output = std::process::Command::new("python3.11")
        .args(["-c", script])
        .output()
        .expect("python3.11 is installed");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_constants_of_linux_are_there() {
    let source = format!(
        r#"
import json
NAMES = json.loads('{}')

@case
def no_name_is_missing():
    missing = [module + '.' + name for module, names in NAMES.items()
        for name in names if not hasattr(__import__(module), name)]
    assert missing == ['os.O_PATH', 'os.O_TMPFILE'], missing

@case
def they_can_be_used():
    import fcntl, os, socket
    fd = os.open('/data/x', os.O_RDWR | os.O_CREAT | os.O_NOCTTY | os.O_SYNC | os.O_CLOEXEC | os.O_NOFOLLOW)
    os.write(fd, b'x'); fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB); fcntl.lockf(fd, fcntl.LOCK_UN); os.close(fd)
    folder = os.open('/data', os.O_RDONLY | os.O_DIRECTORY); os.close(folder)
    raises(OSError, '', lambda: os.open('/data/x', os.O_RDONLY | os.O_DIRECTORY))
    raises(OSError, '', lambda: fcntl.flock(fd, fcntl.LOCK_EX))
    raises(OSError, '', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
"#,
        constants().trim()
    );
    let mut bench = Bench::new();
    all_hold(&mut bench, "Constants", &source, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_own_copy_of_a_replaced_package_is_set_aside() {
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("Own");
    std::fs::create_dir_all(folder.join("serial")).unwrap();
    for (file, text) in [
        ("__init__.py", "from serial.serialposix import Serial\n"),
        (
            "serialutil.py",
            "raise ImportError('the copy was imported')\n",
        ),
        ("serialposix.py", "import serial.serialutil\n"),
    ] {
        std::fs::write(folder.join("serial").join(file), text).unwrap();
    }
    // A package of the same name that is none of these is the plugin's own.
    std::fs::create_dir_all(folder.join("ifaddr")).unwrap();
    std::fs::write(folder.join("ifaddr/__init__.py"), "mine = True\n").unwrap();
    let source = "
@case
def the_runtimes_is_used():
    import ifaddr, serial, serial.tools.list_ports
    assert ifaddr.mine and serial.VERSION and serial.Serial().is_open is False
";
    all_hold(&mut bench, "Own", source, "").await;
    let line = bench.seen_line("set aside").unwrap();
    assert!(line.contains("'serial'"), "{line}");
}
