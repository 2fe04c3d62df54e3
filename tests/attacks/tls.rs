//! Module `ssl`: contexts, sessions, and the memory that they hold.

use crate::attack::Attack;

/// A certificate that needs no authority: contexts are filled with it.
const CERTIFICATE: &str = r#"
import ssl, gc
def context(protocol=ssl.PROTOCOL_TLS_CLIENT):
    return ssl.SSLContext(protocol)
def session(context):
    return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="device.lan")
def told(call):
    try: return repr(call())
    except MemoryError as error: return "MemoryError: %s" % error
"#;

fn attack(source: &str) -> Attack {
    Attack::new(&format!("{CERTIFICATE}{source}"))
}

trips! {
    sessions_beyond_the_limit_are_refused: "tls-handles" => attack("
def attack():
    ours, kept = context(), []
    def make():
        while True: kept.append(session(ours))
    Domoticz.Log(told(make) + ' after %d.' % len(kept))
    kept.clear()
    session(ours)
    Domoticz.Log('again.')
").limits("tls-handles = 10").says(&[
        "MemoryError: the instance's limit tls-handles is used up after 9.",
        "again.",
    ]);

    contexts_beyond_the_limit_are_refused: "tls-handles" => attack("
def attack():
    kept = []
    def make():
        while True:
            kept.append(context())
            kept[-1]._host_context()
    Domoticz.Log(told(make) + ' after %d.' % len(kept))
").limits("tls-handles = 10").says(&["MemoryError: the instance's limit tls-handles is used up after 11."]);

    /// Sessions in cycles are found before anything is refused.
    forgotten_sessions_are_given_back: "tls-handles" => attack("
def attack():
    ours = context()
    for n in range(200):
        made = session(ours)
        made.myself = made
    del made
    Domoticz.Log('made 200.')
    kept = []
    def make():
        while True: kept.append(session(ours))
    told(make)
").limits("tls-handles = 10").says(&["made 200."]);

    certificates_beyond_the_limit_are_refused: "tls-bytes" => attack("
def attack():
    kept = []
    def make():
        for n in range(1000):
            kept.append(context())
            kept[-1]._roots = {bytes([n % 256]) * 5000: None}
            try: kept[-1]._host_context()
            except ssl.SSLError: pass
            kept[-1]._alpn = [b'x' * 200] * 30
            kept[-1]._roots = {}
            kept[-1]._host_context()
    Domoticz.Log(told(make) + ' after %d.' % len(kept))
    kept.clear()
    context()._host_context()
").limits("tls-bytes = 100000").says(&["MemoryError: the instance's limit tls-bytes is used up after "]);

    /// The room of sessions is paid for when they are made.
    sessions_are_paid_for: "host-memory" => attack("
def attack():
    ours, kept = context(), []
    def make():
        while True: kept.append(session(ours))
    told(make)
    Domoticz.Log('some made %r.' % (4 < len(kept) < 60))
    kept.clear()
    session(ours)
").limits("host-memory = 8000000").says(&["some made True."]);
}

/// Lists that no program needs, from a plugin that goes past module `ssl`.
#[tokio::test(flavor = "multi_thread")]
async fn long_lists_make_nothing() {
    use crate::scene::{FLAT, Scene, assert_failures};

    let source = r#"
import _cordon_tls
def made(**changes):
    settings = dict(tls12=True, tls13=True, suites=[], verify=0, check_hostname=False,
        common_name=False, system_roots=False, roots=[], chain=[], key=None, granted=None, alpn=[])
    return _cordon_tls.open_context(**(settings | changes))
def onStart():
    refused = 0
    for n in range(5):
        for changes in dict(suites=[0x1301] * 1000000), dict(alpn=[b"x"] * 100000),                 dict(roots=[b"0\x00"] * 100000), dict(granted="x" * 1000000):
            refused += isinstance(made(**changes), tuple)
    context = made()
    refused += isinstance(_cordon_tls.open_client(context, "a" * 1000000), tuple)
    Domoticz.Log("refused %d." % refused)
"#;
    let mut scene = Scene::new().await;
    let attacker = scene.attack(source, "").await;
    scene.said("refused 21.").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// A session holds a bounded number of bytes whatever the plugin offers.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_takes_no_more_than_it_has_room_for() {
    use crate::scene::{FLAT, Scene, assert_failures};

    let source = r#"
import ssl, _cordon_tls
from _ssl_constants import *
def onStart():
    settings = dict(tls12=True, tls13=True, suites=[], verify=0, check_hostname=False,
        common_name=False, system_roots=False, roots=[], chain=[], key=None, granted=None, alpn=[])
    context = _cordon_tls.open_context(**settings)
    sessions = [_cordon_tls.open_client(context, None) for n in range(100)]
    garbage = b"\x16\x03\x03\x40\x00\x02\x00\xff\xff" + bytes(100000)
    written = taken = 0
    for session in sessions:
        for n in range(20):
            written += session.write(bytes(1000000))
            result = session.feed(garbage)
            if isinstance(result[0], str): break
            taken += result[0]
    Domoticz.Log("written %d, taken %d." % (written, taken))
    Domoticz.Log("over." if taken > 100 * 200000 else "bounded.")
"#;
    let mut scene = Scene::new().await;
    let attacker = scene.attack(source, "limits = { tls-handles = 200 }").await;
    scene.said("written 0, ").await;
    scene.said("bounded.").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// A certificate of two million names is four megabytes, and forty times as much when it
/// is taken apart.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_grow_when_they_are_read_make_nothing() {
    use crate::scene::{FLAT, Scene, assert_failures};

    let source = r#"
import _cordon_tls
def part(tag, *content):
    content = b"".join(content)
    size = len(content).to_bytes(4, "big").lstrip(b"\0") or b"\0"
    if len(content) > 127: size = bytes([0x80 + len(size)]) + size
    return bytes([tag]) + size + content
def sequence(*content): return part(0x30, *content)
def oid(text): return part(6, bytes.fromhex(text))
def certificate(names):
    name = sequence(part(0x31, sequence(oid("550403"), part(0x0c, b"x"))))
    dates = sequence(part(0x17, b"200101000000Z"), part(0x17, b"400101000000Z"))
    kind = sequence(oid("2a864886f70d01010b"), part(5))
    key = sequence(kind, part(3, b"\0" + sequence(part(2, b"\1"), part(2, b"\3"))))
    names = sequence(oid("551d11"), part(4, sequence(b"\x82\0" * names)))
    more = part(0xa3, sequence(names))
    body = sequence(part(0xa0, part(2, b"\2")), part(2, b"\1"), kind, name, dates, name, key, more)
    return sequence(body, kind, part(3, b"\0" + bytes(16)))
def made(root):
    settings = dict(tls12=True, tls13=True, suites=[], verify=2, check_hostname=False,
        common_name=False, system_roots=False, roots=[root], chain=[], key=None, granted=None, alpn=[])
    return _cordon_tls.open_context(**settings)
def onStart():
    large = certificate(1900000)
    refused = [made(large) for _ in range(3)]
    Domoticz.Log("refused %r." % all("65536 bytes" in repr(it) for it in refused))
    Domoticz.Log("small one made %r." % (type(made(certificate(100))) is not type(refused[0])))
"#;
    let mut scene = Scene::new().await;
    let attacker = scene.attack(source, "").await;
    scene.said("refused True.").await;
    scene.said("small one made True.").await;
    assert_failures(&attacker, 0);
    // With what the plugin itself holds of them.
    scene.finish(2 * FLAT).await;
}
