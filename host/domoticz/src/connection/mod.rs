//! `Domoticz.Connection` of one plugin instance: the sockets behind the contract.
//!
//! Owns sockets, their tasks and their order of events (spec sections 5 and 6).
//! The instance's actor hands in requests and takes out events; nothing here
//! calls a plugin. Everything is bounded: the number of connections, the bytes
//! that wait in either direction, the delayed messages, the name look-ups. A
//! peer that sends faster than the plugin works is stopped by TCP itself.
//! Whether a target may be reached is decided in `egress`, never here.

mod context;
mod delay;
mod dial;
mod echo;
mod link;
mod listener;
mod manager;
mod outbox;
mod pace;
mod paced;
mod serial;
mod stream;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use cordon_base::account::Charge;
use cordon_protocol::{Inbound, Outbound};

pub use manager::{Connections, StatusBoard};
pub use paced::Debt;

/// Names a connection of one instance; never used twice.
pub type ConnectionId = u32;

/// First id of the clients that listeners accept; the guest numbers below it.
pub const FIRST_CHILD: ConnectionId = 2_147_483_648;

/// Where to and how, as the plugin wrote it (`endpoint` of the contract).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Name for log lines.
    pub name: String,
    /// `TCP/IP`, `TLS/IP`, `UDP/IP`, `ICMP/IP` or `Serial`.
    pub transport: String,
    /// `None`, `Line`, `JSON`, `HTTP`, ...
    pub protocol: String,
    /// Host name, address or device path.
    pub address: String,
    /// Port as text; may be empty.
    pub port: String,
    /// Baud rate of a serial port; -1 when not given.
    pub baud: i32,
}

/// The product that plugins' HTTP messages name to their peers (rules 125 and 130).
const PRODUCT: &str = "Domoticz/1.0";

/// Longest name, transport, protocol and port of an endpoint, in bytes.
const TEXT: usize = 255;

/// Longest address, in bytes: a host's name has fewer, the path of a device may have more.
const ADDRESS: usize = 1024;

impl Endpoint {
    /// The sentence about a text that is longer than any real one. Nothing is done with such an
    /// endpoint.
    #[must_use]
    pub fn too_long(&self) -> Option<String> {
        let Self {
            name,
            transport,
            protocol,
            address,
            port,
            baud: _,
        } = self;
        let texts = [name, transport, protocol, port].map(|text| (text, TEXT));
        let mut all = texts.into_iter().chain([(address, ADDRESS)]);
        let (text, _) = all.find(|(text, most)| text.len() > *most)?;
        Some(format!(
            "a connection is refused: one of its texts has {} bytes; an address has at most \
             {ADDRESS}, its name and all others {TEXT}",
            text.len()
        ))
    }

    /// Bytes of the endpoint's texts.
    #[must_use]
    pub fn size(&self) -> usize {
        let Self {
            name,
            transport,
            protocol,
            address,
            port,
            baud: _,
        } = self;
        [name, transport, protocol, address, port]
            .map(String::len)
            .into_iter()
            .sum()
    }
}

/// A request that the guest queued during a callback, to be carried out after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Open an outgoing connection.
    Connect {
        /// The guest's id.
        id: ConnectionId,
        /// The target.
        endpoint: Endpoint,
        /// Silence after which `TimedOut` comes, in milliseconds; 0 for never.
        timeout_ms: u32,
    },
    /// Accept clients on the endpoint's port.
    Listen {
        /// The guest's id.
        id: ConnectionId,
        /// Port and protocol; the address does not count.
        endpoint: Endpoint,
    },
    /// Encode a message and write it.
    Send {
        /// The guest's id, or that of an accepted client.
        id: ConnectionId,
        /// The connection as it is now, for UDP and for log lines.
        endpoint: Endpoint,
        /// The message.
        message: Outbound,
        /// Seconds to wait first.
        delay_seconds: u32,
    },
    /// Close the connection.
    Disconnect {
        /// The guest's id, or that of an accepted client.
        id: ConnectionId,
    },
    /// Python dropped its last reference: close if open, silently if not.
    Release {
        /// The guest's id, or that of an accepted client.
        id: ConnectionId,
    },
}

impl Request {
    /// The connection that the event is about.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        match self {
            Self::Connect { id, .. }
            | Self::Listen { id, .. }
            | Self::Send { id, .. }
            | Self::Disconnect { id }
            | Self::Release { id } => *id,
        }
    }

    /// The endpoint that the event names, if any.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Connect { endpoint, .. }
            | Self::Listen { endpoint, .. }
            | Self::Send { endpoint, .. } => Some(endpoint),
            Self::Disconnect { .. } | Self::Release { .. } => None,
        }
    }

    /// Bytes that the event holds while it waits: the texts of the endpoint count, a plugin chooses
    /// their length.
    #[must_use]
    pub fn size(&self) -> u64 {
        let bytes = match self {
            Self::Connect { endpoint, .. } | Self::Listen { endpoint, .. } => endpoint.size(),
            Self::Send {
                endpoint, message, ..
            } => endpoint.size().saturating_add(message.size()),
            Self::Disconnect { .. } | Self::Release { .. } => 0,
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// An event of a connection. Events of one connection keep their order.
#[derive(Debug)]
pub enum ConnectionEvent {
    /// Made, failed, or accepted by a listener.
    Connected {
        /// The connection; a new id for an accepted client.
        id: ConnectionId,
        /// The listener of an accepted client.
        parent: Option<ConnectionId>,
        /// Peer address of an accepted client, else empty.
        peer_address: String,
        /// Peer port of an accepted client, else empty.
        peer_port: String,
        /// 0 or an error number of spec 6.3.
        status: i32,
        /// The system's words for the status.
        description: String,
    },
    /// One complete message.
    Message {
        /// The connection that the message came on.
        id: ConnectionId,
        /// The sender, if the message is a datagram.
        sender: Option<SocketAddr>,
        /// The message.
        data: Inbound,
        /// Lets the peer send more; drop it when the plugin has the message.
        credit: Credit,
    },
    /// No data came for the connection's timeout; it stays open.
    TimedOut(ConnectionId),
    /// The end; nothing follows for this id unless it connects again.
    Disconnected(ConnectionId),
}

impl ConnectionEvent {
    /// The outcome of a connection that the plugin asked for.
    fn outcome(id: ConnectionId, status: i32, description: impl Into<String>) -> Self {
        Self::Connected {
            id,
            parent: None,
            peer_address: String::new(),
            peer_port: String::new(),
            status,
            description: description.into(),
        }
    }
}

/// Room in a connection's inbound buffer, given back when this is dropped.
#[derive(Debug, Default)]
pub struct Credit {
    _permit: Option<OwnedSemaphorePermit>,
    _charge: Option<Charge>,
}

/// How a connection stands (`state` of the contract).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// A connect is under way; true for TCP listeners (rule 93).
    pub connecting: bool,
    /// Open; false for TCP listeners.
    pub connected: bool,
    /// Bytes in both directions since it was opened.
    pub bytes_transferred: u64,
    /// Local `YYYY-MM-DD HH:MM:SS` of the last connect or read.
    pub last_seen: String,
}

/// Bounds of one instance's connections; the counts come from `limits`.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Connections, listeners and accepted clients at a time.
    pub connections: u32,
    /// Bytes held per connection and direction, and of all delayed messages.
    pub buffer_bytes: u64,
    /// Delayed messages at a time.
    pub timers: u32,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
}

impl ConnectionLimits {
    /// Default for a handshake: slow microcontrollers take three seconds.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

    fn buffer(&self) -> usize {
        usize::try_from(self.buffer_bytes).unwrap_or(usize::MAX)
    }
}

/// How a line of the plugin's log is shown (`log.level` of the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// No marker.
    Normal,
    /// Marked as an error.
    Error,
}

/// The owner of a line (`log.origin` of the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOrigin {
    /// The hardware's name goes before the line.
    Hardware,
    /// The hub speaks about the plugin.
    Core,
}

/// Takes lines for the plugin's log; must not block, and bounds their number.
pub type LogSink = Arc<dyn Fn(LogLevel, LogOrigin, String) + Send + Sync>;

#[cfg(test)]
mod tests;
