//! The sockets that a plugin's own Python opens: `_socket` behind the contract.
//!
//! Every handle is a real, non-blocking socket of the system, so that what Python
//! sees of buffers, half-closed connections and error numbers is the system's own
//! behaviour. Owns the table of one instance; nothing is read ahead, so what waits
//! for a plugin waits in the system's buffer of that socket, which is bounded.
//! Who may be reached is decided in [`access`] over `egress`.

mod access;
mod entry;
mod options;
mod table;
mod wait;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use cordon_base::error::Denied;

pub use options::{Device, OptionName};
pub use table::Sockets;
pub use wait::Events;

/// The lowest handle; above every descriptor of a file that a guest can hold.
pub const FIRST_HANDLE: u32 = 10_000;

/// Most bytes that one call receives from a stream.
pub const RECEIVE_BYTES: u32 = 256 << 10;

/// Most bytes that a datagram can have, with room to spare.
const DATAGRAM_BYTES: u32 = 64 << 10;

/// Clients that the system may hold until they are accepted, and what it may have received
/// from each: at a granted port, and at one that only own sockets get through to.
const BACKLOG: u32 = 128;
const UNACCEPTED: usize = 64 << 10;
const OWN_BACKLOG: u32 = 32;
const OWN_UNACCEPTED: usize = 16 << 10;

/// Own clients that may be closed, with what they have sent, before they are accepted.
const LEFT: usize = 16;

// Error numbers of Linux, which are those of the contract.
/// The handle names no socket.
pub const EBADF: u32 = 9;
/// It would have to wait.
pub const EAGAIN: u32 = 11;
/// No grant allows it.
pub const EACCES: u32 = 13;
/// An argument has no meaning here.
pub const EINVAL: u32 = 22;
/// The instance has all the sockets that it may have.
pub const EMFILE: u32 = 24;
/// The option is not known.
pub const ENOPROTOOPT: u32 = 92;
/// This kind of socket cannot do it.
pub const EOPNOTSUPP: u32 = 95;
const EIO: u32 = 5;

/// Names a socket of one instance.
pub type Handle = u32;

/// Why a call failed: a number of Linux, and words where the system's would not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error number.
    pub number: u32,
    /// A sentence of our own.
    pub text: Option<String>,
}

impl Failure {
    /// The failure with the system's own words.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self { number, text: None }
    }

    /// With a sentence that says what to do.
    #[must_use]
    pub fn saying(number: u32, text: impl Into<String>) -> Self {
        Self {
            number,
            text: Some(text.into()),
        }
    }

    /// What Python's `PermissionError` says.
    #[must_use]
    pub fn denied(denied: &Denied) -> Self {
        Self::saying(EACCES, denied.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let number = error.raw_os_error().and_then(|it| u32::try_from(it).ok());
        Self::new(number.unwrap_or(EIO))
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Self {
        Self::new(u32::try_from(error.raw_os_error()).unwrap_or(EIO))
    }
}

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// TCP, or half of a pair.
    Stream,
    /// UDP, or half of a pair.
    Datagram,
}

/// What a handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Of IPv6 addresses.
    pub v6: bool,
    /// What it carries.
    pub kind: Kind,
    /// Listens for connections.
    pub listening: bool,
    /// One half of a pair.
    pub paired: bool,
}

/// What was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The bytes that were asked for.
    pub data: Vec<u8>,
    /// How long it was before it was cut.
    pub length: u32,
    /// Who sent it; nothing on a stream.
    pub source: Option<SocketAddr>,
}

/// How to receive or send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageFlags {
    /// Leave the data in the queue.
    pub peek: bool,
    /// Urgent data.
    pub out_of_band: bool,
    /// More data follows.
    pub more: bool,
}

/// Which direction of a connection ends.
pub type Direction = std::net::Shutdown;

/// The address that the system takes a target for: the unspecified address leads to
/// this machine.
fn real_target(target: SocketAddr) -> SocketAddr {
    match target.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, target.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, target.port()).into(),
        ip => (ip, target.port()).into(),
    }
}

#[cfg(test)]
mod tests;
