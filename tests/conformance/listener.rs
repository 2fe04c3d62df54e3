//! A plugin that listens: its clients, its port, its end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stage::{Stage, plugin_text, section};
use crate::support::PATIENCE;
use crate::support::ports::free_port;
use crate::tools::reachable;

const PLUGIN: &str = r#"
kept = {}

def onStart():
    global server
    server = Domoticz.Connection(Name="server", Transport="TCP/IP", Protocol="Line", Port=Parameters["Port"])
    server.Listen()
    Domoticz.Heartbeat(1)

def onHeartbeat():
    Domoticz.Log("listening %s, connected %s" % (server.Connecting(), server.Connected()))

def onConnect(Connection, Status, Description):
    if Connection is server:
        Domoticz.Log("no listener %d" % Status)
    elif len(kept) < 1:
        kept[Connection.Name] = Connection
        Domoticz.Log("kept")
    else:
        Domoticz.Log("not kept")

def onMessage(Connection, Data):
    Connection.Send(b"got " + Data)
    server.Disconnect()

def onDisconnect(Connection):
    Domoticz.Log("disconnect of %s" % ("the server" if Connection is server else "a client"))
"#;

async fn start(stage: &mut Stage, port: u16) {
    let folder = stage.plugin("server", &plugin_text("Server", PLUGIN));
    let config = format!("parameters = {{ Port = \"{port}\" }}\ngrants = {{ listen = [{port}] }}");
    stage
        .start(&[(section("HW", "Server", &config), folder)])
        .await;
}

async fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    read.expect("an end in time").expect("an orderly end");
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_092_093_094_a_listener_keeps_what_the_plugin_keeps() {
    let mut stage = Stage::new();
    let port = free_port();
    start(&mut stage, port).await;
    stage.line("HW: listening True, connected False").await;
    let address = ("127.0.0.1", port);
    let mut kept = TcpStream::connect(address).await.expect("a connection");
    stage.line("HW: kept").await;
    let mut dropped = TcpStream::connect(address).await.expect("a connection");
    assert!(read_all(&mut dropped).await.is_empty());
    stage
        .lines(&["HW: not kept", "HW: disconnect of a client"])
        .await;
    kept.write_all(b"a\r").await.expect("sent");
    let mut answer = [0; 5];
    kept.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"got a");
    stage.line("HW: disconnect of the server").await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "still listening"
    );
    kept.write_all(b"b\r").await.expect("the client stays");
    kept.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"got b");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_095_a_port_in_use_is_on_connect_with_a_failure() {
    let taken = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let mut stage = Stage::new();
    start(&mut stage, port).await;
    stage.line("HW: no listener -1").await;
    reachable(port).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_a_grant_is_refused_with_the_grant_that_would_allow_it() {
    let mut stage = Stage::new();
    // The instance's own Port needs no grant.
    let source = PLUGIN.replace("Parameters[\"Port\"]", "Parameters[\"Mode1\"]");
    let folder = stage.plugin("server", &plugin_text("Server", &source));
    let port = free_port();
    let config = format!("parameters = {{ Mode1 = \"{port}\" }}");
    stage
        .start(&[(section("HW", "Server", &config), folder)])
        .await;
    let line = stage.line("denied").await;
    assert!(line.contains(&format!("listen = [{port}]")), "{line}");
    stage.stop().await;
}
