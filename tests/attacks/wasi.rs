//! The system interface: the bytes that a call may copy, and functions that do not exist.

use crate::attack::Attack;
use crate::scene::{FLAT, Scene, assert_failures};

trips! {
    a_call_that_copies_too_much_ends_the_plugin: "call-bytes" => Attack::new("
def attack(): Domoticz.Log('x' * (20 << 20))
").limits("call-bytes = 1048576");

    a_document_that_is_too_large_for_a_call_ends_the_plugin: "call-bytes" => Attack::new("
def attack(): Domoticz.Configuration({'a': 'x' * (4 << 20)})
").limits("call-bytes = 1048576");

    too_many_random_bytes_end_the_plugin: "random-bytes" => Attack::new("
def attack(): os.urandom(2 << 20)
").limits("random-bytes = 65536");
}

/// Every attempt must fail with an exception, and nothing is left behind.
#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_sockets_processes_or_foreign_files() {
    let source = r#"
import os
def attempt(what, call):
    try: result = call()
    except (OSError, ImportError, AttributeError, NotImplementedError, RuntimeError, ValueError, TypeError) as error:
        Domoticz.Log("%s failed with %s." % (what, type(error).__name__))
    else:
        Domoticz.Log("%s SUCCEEDED: %r" % (what, result))
def tcp():
    import socket
    socket.create_connection(("127.0.0.1", PORT), 1)
def raw():
    import socket
    socket.socket(socket.AF_INET, socket.SOCK_RAW)
def resolve():
    import socket
    return socket.gethostbyname("device.lan")
def url():
    import urllib.request
    return urllib.request.urlopen("http://127.0.0.1:PORT/").read()
def run():
    import subprocess
    return subprocess.run(["true"])
def native():
    import ctypes
    return ctypes.CDLL("libc.so.6")
def mapped():
    import mmap
    return mmap.mmap(-1, 4096)
def onStart():
    for what in (tcp, raw, resolve, url, run, native, mapped):
        attempt(what.__name__, what)
    attempt("system", lambda: os.system("true"))
    attempt("fork", lambda: os.fork())
    attempt("exec", lambda: os.execv("/bin/true", ["true"]))
    attempt("kill", lambda: os.kill(1, 9))
    attempt("read", lambda: open("/etc/passwd").read())
    attempt("dots", lambda: open("/data/../../../../etc/passwd").read())
    attempt("proc", lambda: os.listdir("/proc/self"))
    attempt("write", lambda: open("/plugin/plugin.py", "a"))
    attempt("delete", lambda: os.unlink("/plugin/plugin.py"))
    attempt("symlink", lambda: os.symlink("/etc/passwd", "/data/link"))
    attempt("hardlink", lambda: os.link("/plugin/plugin.py", "/data/link"))
    attempt("rename", lambda: os.rename("/plugin/plugin.py", "/data/taken"))
    attempt("device", lambda: open("/dev/mem"))
    Domoticz.Log("found %s." % os.listdir("/data"))
    Domoticz.Log("done.")
"#;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&source.replace("PORT", &port), "").await;
    scene.said("done.").await;
    let transcript = scene.bench.transcript();
    assert!(!transcript.contains("SUCCEEDED"), "{transcript}");
    assert!(transcript.contains("found []."), "{transcript}");
    let none = listener.accept().unwrap_err();
    assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}
