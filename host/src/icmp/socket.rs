//! One echo request on a socket of its own.
//!
//! An unprivileged ICMP socket where the kernel allows it to the hub's group
//! (`net.ipv4.ping_group_range`), a raw one where the hub has `CAP_NET_RAW`.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Instant;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::packet::{self, HEADER};
use super::{EchoError, LONGEST, PAYLOAD, Reply, Request};

/// `SOCK_RAW`; the constant is behind a feature that would be another build of
/// the crate.
const RAW: i32 = 3;

/// Room for the largest answer with its headers.
const BUFFER: usize = PAYLOAD + HEADER + 60;

/// What a socket does by itself.
struct Opened {
    socket: UdpSocket,
    /// The identifier to look for; `None` where the kernel puts its own.
    id: Option<u16>,
}

/// Sends a request to an address that was checked, and waits for the answer.
///
/// # Errors
///
/// [`EchoError`].
pub async fn exchange(address: IpAddr, request: &Request) -> Result<Reply, EchoError> {
    let (id, sequence) = numbers();
    let opened = open(address, request.ttl, id)?;
    let payload: Vec<u8> = (0_u8..=255)
        .cycle()
        .take(request.size.min(PAYLOAD))
        .collect();
    let bytes = packet::request(address, id, sequence, &payload);
    let begun = Instant::now();
    let answered = async {
        opened
            .socket
            .send_to(&bytes, SocketAddr::new(address, 0))
            .await?;
        opened.answer(address, sequence).await
    };
    match tokio::time::timeout(request.timeout.min(LONGEST), answered).await {
        Err(_) => Err(EchoError::TimedOut),
        Ok(Err(error)) => Err(EchoError::Failed(error)),
        Ok(Ok(size)) => Ok(Reply {
            address,
            round_trip: begun.elapsed(),
            size,
        }),
    }
}

impl Opened {
    async fn answer(&self, address: IpAddr, sequence: u16) -> io::Result<usize> {
        let mut buffer = [0; BUFFER];
        loop {
            let (length, from) = self.socket.recv_from(&mut buffer).await?;
            let received = buffer.get(..length).unwrap_or_default();
            if from.ip() != address {
                continue;
            }
            if let Some(payload) = packet::reply(address, received, self.id, sequence) {
                return Ok(payload.len());
            }
        }
    }
}

/// Numbers that a stranger who wants to forge an answer has to guess; the keys of
/// the standard library's hash maps are random.
fn numbers() -> (u16, u16) {
    let [a, b, c, d, ..] = RandomState::new().hash_one(0).to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

fn open(address: IpAddr, ttl: Option<u8>, id: u16) -> Result<Opened, EchoError> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let (socket, id) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (socket, None),
        Err(_) => {
            let raw = Socket::new(domain, Type::from(RAW), Some(protocol));
            (raw.map_err(|error| unavailable(&error))?, Some(id))
        }
    };
    prepare(socket, address, ttl)
        .map(|socket| Opened { socket, id })
        .map_err(EchoError::Failed)
}

fn prepare(socket: Socket, address: IpAddr, ttl: Option<u8>) -> io::Result<UdpSocket> {
    if let Some(ttl) = ttl {
        match address {
            IpAddr::V4(_) => socket.set_ttl_v4(u32::from(ttl))?,
            IpAddr::V6(_) => socket.set_unicast_hops_v6(u32::from(ttl))?,
        }
    }
    socket.set_nonblocking(true)?;
    // Datagrams in, datagrams out: the runtime needs to know no more of it.
    UdpSocket::from_std(std::net::UdpSocket::from(OwnedFd::from(socket)))
}

fn unavailable(error: &io::Error) -> EchoError {
    EchoError::Unavailable(format!(
        "the hub may open no ICMP socket ({error}); put its group into net.ipv4.ping_group_range, or \
         give the hub CAP_NET_RAW"
    ))
}
