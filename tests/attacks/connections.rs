//! Connections: their number, bytes that wait in them, delayed sends.

use std::time::Duration;

use std::io::Write as _;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::attack::{Attack, By, Trip, assert_told};
use crate::scene::{FLAT, Scene, assert_failures};
use crate::support::PATIENCE;
use crate::support::ports::free_port;

/// Python that connects to the peer of the test.
const CONNECT: &str = "
def connection(protocol='None'):
    return Domoticz.Connection(Name='c', Transport='TCP/IP', Protocol=protocol, Address='127.0.0.1', Port='PORT')
";

struct Peer {
    listener: TcpListener,
    port: String,
}

impl Peer {
    async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        Self { listener, port }
    }

    fn source(&self, text: &str) -> String {
        format!("{CONNECT}{text}").replace("PORT", &self.port)
    }

    fn grant(&self) -> String {
        format!("grants = {{ network = [\"127.0.0.1:{}\"] }}\n", self.port)
    }

    fn attack(&self, text: &str) -> Attack {
        Attack::new(&self.source(text)).config(self.grant())
    }

    /// The next connection of the plugin.
    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }
}

/// Bytes that the peer gets rid of until nothing is taken for a second.
async fn flood(stream: &mut TcpStream) -> u64 {
    let block = vec![b'x'; 64 << 10];
    let mut written = 0_u64;
    loop {
        match tokio::time::timeout(Duration::from_secs(1), stream.write(&block)).await {
            Ok(Ok(count)) => written += u64::try_from(count).unwrap(),
            _ => return written,
        }
    }
}

/// Connects as soon as somebody listens.
async fn first_client(address: &str) -> TcpStream {
    let connect = async {
        loop {
            // Without a listener a socket may connect to itself.
            match TcpStream::connect(address).await {
                Ok(client) if client.local_addr().ok() != client.peer_addr().ok() => return client,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, connect)
        .await
        .expect("nobody listens")
}

trips! {
    connections_beyond_the_limit_are_refused: "connections" => By(async |limit: &'static str| {
        let peer = Peer::new().await;
        peer.attack("
made = []
def attack():
    for n in range(50):
        made.append(connection())
        made[-1].Connect()
").limits("connections = 4").trip(limit).await;
    });

    /// The peer sees the others closed at once; those that are in go on.
    clients_beyond_the_limit_are_turned_away: "connections" => By(async |limit: &'static str| {
        let source = "
clients = []
def onStart():
    global listener
    listener = Domoticz.Connection(Name='l', Transport='TCP/IP', Protocol='Line', Port='PORT')
    listener.Listen()
    Domoticz.Log('up')
def onConnect(Connection, Status, Description):
    clients.append(Connection)
    Domoticz.Log('client %d.' % len(clients))
def onMessage(Connection, Data): Connection.Send(Data)
";
        let port = Peer::new().await.port;
        let config = format!("limits = {{ connections = 3 }}\ngrants = {{ listen = [{port}] }}");
        let mut scene = Scene::new().await;
        let attacker = scene.attack(&source.replace("PORT", &port), &config).await;
        scene.said("up").await;
        let address = format!("127.0.0.1:{port}");
        let mut clients = vec![first_client(&address).await];
        while clients.len() < 50 {
            clients.push(TcpStream::connect(&address).await.unwrap());
        }
        let line = scene.said("connection 'l': clients turned away").await;
        assert_told(limit, &attacker.spec.limits, &line);
        // The listener is one of the three.
        scene.said("client 2.").await;
        let closed = tokio::time::timeout(Duration::from_secs(20), clients[40].read(&mut [0])).await;
        assert!(matches!(closed.unwrap(), Ok(0) | Err(_)));
        clients[0].write_all(b"hello\r\n").await.unwrap();
        let mut echo = [0; 5];
        let read = tokio::time::timeout(PATIENCE, clients[0].read_exact(&mut echo)).await;
        assert!(matches!(read, Ok(Ok(_))), "{read:?} in\n{}", scene.bench.transcript());
        assert_eq!(&echo, b"hello");
        assert!(scene.bench.seen_line("client 3.").is_none());
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    a_message_that_is_too_large_is_refused: "connection-buffer" => Attack::new("
def attack():
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1')
    connection.Send('x' * 5000)
").limits("connection-buffer = 4096");

    /// Nothing is lost silently: the log has all that does not fit, and the plugin goes on.
    a_peer_that_does_not_read_fills_one_buffer: "connection-buffer" => By(async |limit: &'static str| {
        let peer = Peer::new().await;
        let source = peer.source("
def onStart():
    global c
    c = connection()
    c.Connect()
    Domoticz.Heartbeat(1)
def onConnect(Connection, Status, Description):
    for n in range(200): Connection.Send(bytes(100000))
def onHeartbeat(): Domoticz.Log('beats on')
");
        let mut scene = Scene::new().await;
        let attacker = scene.attack(&source, &peer.grant()).await;
        let _silent = peer.accept().await;
        let line = scene.said("send refused for connection 'c': ").await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("beats on").await;
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    /// A line that never ends is no message: the connection is closed.
    a_peer_that_never_ends_a_line_is_closed: "connection-buffer" => By(async |limit: &'static str| {
        let peer = Peer::new().await;
        let source = peer.source("
def onStart():
    global c
    c = connection('Line')
    c.Connect()
def onMessage(Connection, Data): Domoticz.Log('got a message')
def onDisconnect(Connection): Domoticz.Log('disconnected.')
");
        let mut scene = Scene::new().await;
        let attacker = scene.attack(&source, &peer.grant()).await;
        let mut stream = peer.accept().await;
        let written = flood(&mut stream).await;
        assert!(written < 16 << 20, "{written} bytes were taken");
        let line = scene.said("connection 'c' is closed: ").await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("disconnected.").await;
        assert!(scene.bench.seen_line("got a message").is_none());
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    an_element_that_never_ends_closes_the_connection: "connection-buffer" => By(async |limit: &'static str| {
        closed_by(limit, "XML", b"<a>".to_vec(), &[b'x'; 64 << 10]).await;
    });

    a_packet_that_says_to_be_huge_closes_the_connection: "connection-buffer" => By(async |limit: &'static str| {
        closed_by(limit, "MQTT", vec![0x30, 0xff, 0xff, 0xff, 0x7f], &[]).await;
    });

    a_frame_that_says_to_be_huge_closes_the_connection: "connection-buffer" => By(async |limit: &'static str| {
        closed_by(limit, "WS", vec![0x82, 0x7f, 0x7f, 0, 0, 0, 0, 0, 0, 0], &[]).await;
    });

    /// A kilobyte that would be a gigabyte.
    a_frame_that_expands_to_too_much_closes_the_connection: "connection-buffer" => By(async |limit: &'static str| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..1024 { encoder.write_all(&[0; 1 << 20]).unwrap(); }
        encoder.flush().unwrap();
        let bomb = encoder.get_ref();
        let mut bytes = b"HTTP/1.1 101 x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n".to_vec();
        bytes.extend([0xc2, 0x7f]);
        bytes.extend(u64::try_from(bomb.len()).unwrap().to_be_bytes());
        assert!(bomb.len() < 1 << 20);
        bytes.extend(bomb);
        closed_by(limit, "WS", bytes, &[]).await;
    });

    delayed_sends_beyond_the_limit_are_refused: "timers" => Attack::new("
def attack():
    global connection
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1')
    for n in range(20): connection.Send('x', Delay=3600)
").limits("timers = 3");
}

/// The bytes that a peer sends on a connection with this protocol, `more` of it again and
/// again, closes the connection with a word about the limit.
async fn closed_by(limit: &'static str, protocol: &str, first: Vec<u8>, more: &[u8]) {
    let peer = Peer::new().await;
    let source = peer.source(&format!(
        "
def onStart():
    global c
    c = connection('{protocol}')
    c.Connect()
def onMessage(Connection, Data):
    if 'Status' not in Data: Domoticz.Log('got a message')
def onDisconnect(Connection): Domoticz.Log('disconnected.')
"
    ));
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&source, &peer.grant()).await;
    let mut stream = peer.accept().await;
    stream.write_all(&first).await.unwrap();
    for _ in 0..256 {
        if more.is_empty() || stream.write_all(more).await.is_err() {
            break;
        }
    }
    let line = scene.said("connection 'c' is closed: ").await;
    assert_told(limit, &attacker.spec.limits, &line);
    scene.said("disconnected.").await;
    assert!(scene.bench.seen_line("got a message").is_none());
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// Datagrams are dropped by the system; the hub holds little.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_datagrams_on_a_busy_plugin_is_dropped() {
    let port = free_port();
    let source = format!(
        "
import threading
go_on = threading.Event()
taken = 0
def onStart():
    global c
    c = Domoticz.Connection(Name='c', Transport='UDP/IP', Port='{port}')
    c.Listen()
    Domoticz.Heartbeat(1)
def onHeartbeat():
    if c.Connected(): Domoticz.Log('up.')
def onMessage(Connection, Data):
    global taken
    if Data == b'end':
        Domoticz.Log('took some: %s.' % (0 < taken < 5000))
    elif not taken:
        Domoticz.Log('busy.')
        threading.Timer(3, go_on.set).start()
        go_on.wait()
    taken += 1
"
    );
    let mut scene = Scene::new().await;
    let config =
        format!("grants = {{ listen = [{port}] }}\nlimits = {{ connection-buffer = 262144 }}");
    let attacker = scene.attack(&source, &config).await;
    scene.said("up.").await;
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let datagram = vec![b'x'; 60_000];
    for _ in 0..20_000 {
        let _ = socket.send_to(&datagram, ("127.0.0.1", port));
    }
    scene.said("busy.").await;
    for _ in 0..50 {
        let _ = socket.send_to(b"end", ("127.0.0.1", port));
        tokio::time::sleep(Duration::from_millis(200)).await;
        scene.bench.drain();
        if scene.bench.seen_line("took some: ").is_some() {
            break;
        }
    }
    scene.said("took some: True.").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// The peer is stopped by TCP itself and loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_floods_a_busy_plugin_is_stopped() {
    let peer = Peer::new().await;
    let source = peer.source(
        "
import threading
go_on = threading.Event()
taken = 0
def onStart():
    global c
    c = connection()
    c.Connect()
def onMessage(Connection, Data):
    global taken
    if not taken:
        Domoticz.Log('busy.')
        threading.Timer(6, go_on.set).start()
        go_on.wait()
    taken += len(Data)
def onDisconnect(Connection): Domoticz.Log('took %d bytes.' % taken)
",
    );
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&source, &peer.grant()).await;
    let mut stream = peer.accept().await;
    let written = flood(&mut stream).await;
    // Buffers of both ends of the socket, and the connection's own bound.
    assert!(written < 32 << 20, "{written} bytes were taken");
    scene.said("busy.").await;
    drop(stream);
    let line = scene.said("took ").await;
    assert_eq!(line, format!("Attacker: took {written} bytes."));
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}
