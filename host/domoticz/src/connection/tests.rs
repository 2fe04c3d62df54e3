//! Section 6 of the behaviour spec on real loopback sockets, by rule number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod bounds;
mod client;
mod datagrams;
mod listening;
#[path = "../../../../tests/support/ports.rs"]
mod ports;
mod tls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use cordon_base::account::Account;
use cordon_base::descriptors::Descriptors;
use cordon_base::grants::Grants;
use cordon_base::limits::Limits;
use cordon_base::pool::Pools;
use cordon_protocol::Credentials;
use cordon_reach::Reach;
use cordon_reach::egress::{NetworkPolicy, OwnTarget};
use cordon_reach::serial::SerialPolicy;
use cordon_reach::tls_client::TlsClient;

use ports::free_port;

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Lines = Arc<Mutex<Vec<(LogLevel, LogOrigin, String)>>>;

/// One instance's connections, and the events and log lines that its actor would see.
struct Rig {
    connections: Connections,
    events: mpsc::Receiver<ConnectionEvent>,
    lines: Lines,
}

struct Setup {
    account: Arc<Account>,
    grants: String,
    limits: ConnectionLimits,
    verify: bool,
    inbox: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            account: Account::new(&Limits::default()),
            grants: "network = [\"127.0.0.1:*\"]".to_owned(),
            limits: ConnectionLimits {
                connections: 8,
                buffer_bytes: 64 * 1024,
                timers: 4,
                handshake_timeout: Duration::from_secs(10),
            },
            verify: false,
            inbox: 32,
        }
    }
}

impl Setup {
    fn listen(port: u16) -> Self {
        Self {
            grants: format!("network = [\"127.0.0.1:*\"]\nlisten = [{port}]"),
            ..Self::default()
        }
    }

    fn build(self) -> Rig {
        let grants: Grants = toml::from_str(&self.grants).unwrap();
        let ports = grants.serial.clone();
        let policy = NetworkPolicy::new(&OwnTarget::default(), grants, Vec::new());
        let lines = Lines::default();
        let sink = Arc::clone(&lines);
        let log: LogSink =
            Arc::new(move |level, origin, text| sink.lock().unwrap().push((level, origin, text)));
        let (sender, events) = mpsc::channel(self.inbox);
        let tls = Arc::new(TlsClient::new(self.verify).unwrap());
        let limits = Limits::default();
        let reach = Reach::new(
            Arc::new(policy),
            Arc::new(SerialPolicy::new(&ports, [])),
            Arc::clone(&self.account),
            &limits,
            &Pools::default(),
            &Descriptors::new(10_000),
        );
        let connections = Connections::new(
            reach,
            self.limits,
            Credentials::default(),
            tls,
            Arc::new(|| None),
            log,
            sender,
        );
        Rig {
            connections,
            events,
            lines,
        }
    }
}

impl Rig {
    fn connect(&mut self, id: ConnectionId, endpoint: &Endpoint) {
        self.connect_for(id, endpoint, 0);
    }

    fn connect_for(&mut self, id: ConnectionId, endpoint: &Endpoint, timeout_ms: u32) {
        let endpoint = endpoint.clone();
        self.connections.carry_out(Request::Connect {
            id,
            endpoint,
            timeout_ms,
        });
    }

    fn listen(&mut self, id: ConnectionId, endpoint: &Endpoint) {
        let endpoint = endpoint.clone();
        self.connections.carry_out(Request::Listen { id, endpoint });
    }

    fn send(&mut self, id: ConnectionId, endpoint: &Endpoint, text: &[u8], delay_seconds: u32) {
        self.connections.carry_out(Request::Send {
            id,
            endpoint: endpoint.clone(),
            message: Outbound::Bytes(text.to_vec()),
            delay_seconds,
        });
    }

    fn disconnect(&mut self, id: ConnectionId) {
        self.connections.carry_out(Request::Disconnect { id });
    }

    async fn event(&mut self) -> ConnectionEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event
            .unwrap_or_else(|_| panic!("no event; log: {:?}", self.lines.lock().unwrap()))
            .unwrap()
    }

    async fn connected(&mut self) -> (ConnectionId, i32, String) {
        match self.event().await {
            ConnectionEvent::Connected {
                id,
                status,
                description,
                ..
            } => (id, status, description),
            other => panic!("not connected: {other:?}"),
        }
    }

    async fn message(&mut self) -> (ConnectionId, Vec<u8>) {
        match self.event().await {
            ConnectionEvent::Message {
                id,
                data: Inbound::Bytes(bytes),
                ..
            } => (id, bytes),
            other => panic!("no message of bytes: {other:?}"),
        }
    }

    async fn disconnected(&mut self) -> ConnectionId {
        match self.event().await {
            ConnectionEvent::Disconnected(id) => id,
            other => panic!("not disconnected: {other:?}"),
        }
    }

    /// Waits for a while, during which an event would have come.
    async fn no_event(&mut self) {
        let event = tokio::time::timeout(Duration::from_millis(200), self.events.recv()).await;
        assert!(event.is_err(), "{event:?}");
    }

    fn flags(&self, id: ConnectionId) -> Option<(bool, bool)> {
        let state = self.connections.status(id);
        state.map(|state| (state.connecting, state.connected))
    }

    fn errors(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let errors = lines.iter().filter(|line| line.0 == LogLevel::Error);
        errors.map(|line| line.2.clone()).collect()
    }

    /// Waits for an error line, because some are written by tasks.
    async fn error_with(&self, part: &str) -> String {
        let found = async {
            loop {
                let found = self.errors().into_iter().find(|line| line.contains(part));
                match found {
                    Some(line) => return line,
                    None => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("no {part:?} in {:?}", self.errors()))
    }
}

fn endpoint(transport: &str, protocol: &str, port: u16) -> Endpoint {
    Endpoint {
        name: "Test".to_owned(),
        transport: transport.to_owned(),
        protocol: protocol.to_owned(),
        address: "127.0.0.1".to_owned(),
        port: port.to_string(),
        baud: -1,
    }
}

async fn server() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A connected rig and the peer's end.
async fn pair(setup: Setup, protocol: &str) -> (Rig, TcpStream, Endpoint) {
    let (listener, port) = server().await;
    let mut rig = setup.build();
    let endpoint = endpoint("TCP/IP", protocol, port);
    rig.connect(1, &endpoint);
    let (peer, _) = listener.accept().await.unwrap();
    assert_eq!(rig.connected().await, (1, 0, "Success".to_owned()));
    (rig, peer, endpoint)
}
