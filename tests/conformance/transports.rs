//! UDP, serial ports and ICMP, on sockets, a pseudo-terminal and this machine itself.

use std::net::{Ipv4Addr, UdpSocket};

use crate::stage::{Stage, plugin_text, section};
use crate::support::PATIENCE;
use crate::support::ports::free_port;
use crate::terminal::Terminal;

/// Receives one datagram as text.
async fn received(socket: &UdpSocket) -> String {
    let socket = socket.try_clone().expect("a second handle");
    let waited = tokio::task::spawn_blocking(move || {
        socket.set_read_timeout(Some(PATIENCE)).expect("a time");
        let mut buffer = [0; 2048];
        let length = socket.recv(&mut buffer).expect("a datagram in time");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    });
    waited.await.expect("no panic")
}

const LISTENER: &str = r#"
def onStart():
    global listener
    listener = Domoticz.Connection(Name="datagrams", Transport="UDP/IP", Protocol=Parameters["Mode1"],
                                   Address=Parameters["Address"], Port=Parameters["Port"])
    listener.Listen()
    Domoticz.Heartbeat(1)

def onHeartbeat():
    Domoticz.Log("listening %s %s" % (listener.Connecting(), listener.Connected()))

def onConnect(Connection, Status, Description):
    Domoticz.Log("failed %d %s" % (Status, Description))

def onMessage(Connection, Data):
    Domoticz.Log("%s from %s, %s, parent %s, %s: %r" % (Connection.Name, Connection.Address,
                 Connection.Port, Connection.Parent, Connection is listener, Data))
    Connection.Send("answer")
    if Data == b"end":
        listener.Send("never")
        listener.Disconnect()

def onDisconnect(Connection):
    Domoticz.Log("no disconnect comes")
"#;

async fn listening(address: &str, protocol: &str, port: u16, grants: &str) -> Stage {
    let mut stage = Stage::new();
    let folder = stage.plugin("listener", &plugin_text("Listener", LISTENER));
    let config = format!(
        "parameters = {{ Address = \"{address}\", Port = \"{port}\", Mode1 = \"{protocol}\" }}\n\
         grants = {{ {grants} }}"
    );
    stage
        .start(&[(section("HW", "Listener", &config), folder)])
        .await;
    stage.line("HW: listening False True").await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_096_097_098_datagrams_and_their_answers() {
    let port = free_port();
    let mut stage = listening("", "None", port, "").await;
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let from = peer.local_addr().expect("an address").port();
    peer.send_to(b"hello", ("127.0.0.1", port)).expect("sent");
    let expected = format!("HW: datagrams from 127.0.0.1, {from}, parent None, False: b'hello'");
    stage.line(&expected).await;
    assert_eq!(received(&peer).await, "answer");
    peer.send_to(b"end", ("127.0.0.1", port)).expect("sent");
    stage.line("it listens for datagrams").await;
    stage.line("HW: listening False False").await;
    assert!(!stage.said("no disconnect comes"), "{}", stage.transcript());
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multicast_listener_gets_what_is_sent_to_its_group() {
    let port = free_port();
    let group = Ipv4Addr::new(239, 255, 83, 17);
    let mut stage = listening(&group.to_string(), "Line", port, "").await;
    let peer = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    peer.set_multicast_loop_v4(true).expect("a setting");
    peer.send_to(b"NOTIFY\r\nrest", (group, port))
        .expect("sent");
    stage.line("None, False: b'NOTIFY'").await;
    assert_eq!(received(&peer).await, "answer");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_listener_gets_broadcasts() {
    let port = free_port();
    let mut stage = listening("255.255.255.255", "JSON", port, "").await;
    let peer = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    peer.set_broadcast(true).expect("a setting");
    peer.send_to(b"{\"a\": 1}", ("255.255.255.255", port))
        .expect("sent");
    stage.line("None, False: {'a': 1}").await;
    stage.stop().await;
}

const SENDER: &str = r#"
def onStart():
    for address in Parameters["Mode1"].split():
        Domoticz.Connection(Name="sender", Transport="UDP/IP", Address=address,
                            Port=Parameters["Port"]).Send("to " + address)
    Domoticz.Log("sent")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_reach_a_host_a_group_and_everybody_under_grants() {
    let mut stage = Stage::new();
    let group = Ipv4Addr::new(239, 255, 83, 18);
    let peer = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    peer.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)
        .expect("joined");
    let port = peer.local_addr().expect("an address").port();
    let folder = stage.plugin("sender", &plugin_text("Sender", SENDER));
    let config = format!(
        "parameters = {{ Port = \"{port}\", Mode1 = \"127.0.0.1 {group} 255.255.255.255 name.lan 10.9.8.7\" }}\n\
         grants = {{ network = [\"127.0.0.1:{port}\", \"{group}:{port}\", \"255.255.255.255:{port}\"] }}"
    );
    stage
        .start(&[(section("HW", "Sender", &config), folder)])
        .await;
    for _ in 0..3 {
        let text = received(&peer).await;
        stage_has(&["127.0.0.1", &group.to_string(), "255.255.255.255"], &text);
    }
    stage.line("UDP needs one").await;
    let line = stage.line("denied").await;
    assert!(
        line.contains(&format!("add `\"10.9.8.7:{port}\"` to `network`")),
        "{line}"
    );
    stage.stop().await;
}

fn stage_has(addresses: &[&str], text: &str) {
    let known = addresses
        .iter()
        .any(|address| text == format!("to {address}"));
    assert!(known, "{text}");
}

const SERIAL: &str = r#"
def onStart():
    global conn
    conn = Domoticz.Connection(Name="port", Transport="Serial", Protocol=Parameters["Mode1"],
                               Address=Parameters["SerialPort"], Baud=9600)
    conn.Connect(Timeout=300)

def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %d %s; %s %s" % (Status, Description, conn.Connecting(), conn.Connected()))
    if Status == 0:
        conn.Send("hello\r")

def onTimeout(Connection):
    Domoticz.Log("timeout")

def onMessage(Connection, Data):
    Domoticz.Log("message %r %d" % (Data, conn.BytesTransferred()))
    if Data == b"end":
        conn.Send("last")
        conn.Disconnect()

def onDisconnect(Connection):
    Domoticz.Log("disconnect %s" % conn.Connected())
"#;

async fn serial(path: &str, protocol: &str) -> Stage {
    let mut stage = Stage::new();
    let source = plugin_text("Serial", SERIAL);
    let source = source.replace(
        "<params>",
        "<params><param field=\"SerialPort\" label=\"x\"/>",
    );
    let folder = stage.plugin("serial", &source);
    let config = format!("parameters = {{ SerialPort = \"{path}\", Mode1 = \"{protocol}\" }}");
    stage
        .start(&[(section("HW", "Serial", &config), folder)])
        .await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_port_carries_lines_times_out_and_is_closed() {
    let mut terminal = Terminal::new();
    let mut stage = serial(&terminal.path.clone(), "Line").await;
    let opened = format!(
        "HW: connect 0 serial port {} is open; False True",
        terminal.path
    );
    stage.line(&opened).await;
    assert_eq!(terminal.ask("read 6"), hex("hello\r"));
    let settings = terminal.ask("settings");
    assert_eq!(
        settings, "9600",
        "8 bits, no parity, 1 stop bit, no flow control"
    );
    stage.lines(&["HW: timeout", "HW: timeout"]).await;
    terminal.write(b"one\r\ntwo\rend\r");
    stage
        .lines(&[
            "HW: message b'one'",
            "HW: message b'two'",
            "HW: disconnect False",
        ])
        .await;
    assert_eq!(terminal.ask("read 4"), hex("last"));
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_port_speaks_xml_and_tells_when_the_device_is_gone() {
    let mut terminal = Terminal::new();
    let mut stage = serial(&terminal.path.clone(), "XML").await;
    assert_eq!(terminal.ask("read 6"), hex("hello\r"));
    terminal.write(b"<Info>\r\n  <A>1</A>\r\n</Info>\r\n<B/>");
    stage
        .lines(&[
            "HW: message b'<Info>\\r\\n  <A>1</A>\\r\\n</Info>'",
            "HW: message b'<B/>'",
        ])
        .await;
    terminal.ask("hangup");
    stage.line("HW: disconnect False").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_port_that_is_not_there_or_not_granted_fails_without_a_disconnect() {
    let mut stage = serial("/dev/ttyNobody", "None").await;
    stage
        .line("HW: connect -1 No such file or directory; False False")
        .await;
    stage.stop().await;
    assert!(!stage.said("HW: disconnect"), "{}", stage.transcript());
    let mut stage = serial("/dev/../dev/null", "None").await;
    stage.line("HW: connect -1").await;
    stage.stop().await;
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

const PINGER: &str = r#"
def onStart():
    global conn
    conn = Domoticz.Connection(Name="pinger", Transport="ICMP/IP", Protocol="ICMP",
                               Address=Parameters["Mode1"])
    conn.Listen()

def onConnect(Connection, Status, Description):
    Domoticz.Log("failed %d %s" % (Status, Description))

def onMessage(Connection, Data):
    ip, icmp = Data.get("IPv4", {}), Data.get("ICMP", {})
    Domoticz.Log("%d %s %s %s>%s %s seq %s %r" % (Data["Status"], Data["Description"],
                 Data.get("ElapsedMs", 0) >= 1, ip.get("Source"), ip.get("Destination"),
                 ip.get("TotalLength") == len(Data["Data"]), icmp.get("SequenceNumber"), Data["Data"][-4:]))
    if icmp.get("SequenceNumber") == 0:
        Domoticz.Log("connected %s" % Connection.Connected())
        Connection.Send("more")
    elif icmp:
        Connection.Disconnect()

def onDisconnect(Connection):
    Domoticz.Log("disconnect")
"#;

async fn pinger(address: &str) -> Stage {
    let mut stage = Stage::new();
    let folder = stage.plugin("pinger", &plugin_text("Pinger", PINGER));
    let config = format!(
        "parameters = {{ Mode1 = \"{address}\" }}\ngrants = {{ icmp = [\"127.0.0.1\", \"127.255.255.255\"] }}"
    );
    stage
        .start(&[(section("HW", "Pinger", &config), folder)])
        .await;
    stage
}

/// Whether the system lets this process send echo requests at all. Where it does
/// not, what is tested is that plugins are told so.
fn may_ping() -> bool {
    let open = |kind| {
        let protocol = Some(socket2::Protocol::ICMPV4);
        socket2::Socket::new(socket2::Domain::IPV4, kind, protocol).is_ok()
    };
    open(socket2::Type::DGRAM) || open(socket2::Type::from(3))
}

#[tokio::test(flavor = "multi_thread")]
async fn echo_requests_go_out_and_their_answers_come_in() {
    let mut stage = pinger("127.0.0.1").await;
    if may_ping() {
        stage
            .lines(&[
                "HW: 0 echo_reply True 127.0.0.1>127.0.0.1 True seq 0 b'ping'",
                "HW: connected True",
                "HW: 0 echo_reply True 127.0.0.1>127.0.0.1 True seq 1 b'more'",
                "HW: disconnect",
            ])
            .await;
    } else {
        stage.line("net.ipv4.ping_group_range").await;
        stage.line("HW: failed -1").await;
    }
    stage.stop().await;
}

/// A broadcast address: nobody answers, and the kernel does not even ask.
#[tokio::test(flavor = "multi_thread")]
async fn rule_150_no_answer_is_told_and_ends_the_connection() {
    let mut stage = pinger("127.255.255.255").await;
    if may_ping() {
        stage
            .lines(&[
                "HW: 11 time_exceeded False None>None False seq None b''",
                "HW: disconnect",
            ])
            .await;
    } else {
        stage.line("HW: failed -1").await;
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn echo_requests_need_a_grant() {
    let mut stage = pinger("10.9.8.7").await;
    let line = stage.line("denied").await;
    assert!(line.contains("add `\"10.9.8.7\"` to `icmp`"), "{line}");
    stage.line("HW: failed -1 Permission denied").await;
    stage.stop().await;
}
