//! One echo request on a socket of its own.
//!
//! An unprivileged ICMP socket where the kernel allows it to the hub's group
//! (`net.ipv4.ping_group_range`), a raw one where the hub has `CAP_NET_RAW`.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::packet::{self, HEADER};
use super::{Answer, EchoError, LONGEST, PAYLOAD, Reply, Request};

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

/// Sends a request to an address that was checked, and waits for what comes back.
///
/// A raw socket first, which shows whole packets and those of routers; where the
/// hub may not have one, the kernel's own, whose packets get a header made here.
///
/// # Errors
///
/// [`EchoError`].
pub async fn probe(
    address: Ipv4Addr,
    payload: &[u8],
    sequence: u16,
    timeout: Duration,
) -> Result<Answer, EchoError> {
    let (id, _) = numbers();
    let bytes = packet::request(address.into(), id, sequence, payload);
    let begun = Instant::now();
    let raw = Socket::new(Domain::IPV4, Type::from(RAW), Some(Protocol::ICMPV4));
    let answered = async {
        match raw {
            Ok(socket) => {
                let socket = prepare(socket, address.into(), None).map_err(EchoError::Failed)?;
                socket
                    .send_to(&bytes, SocketAddr::new(address.into(), 0))
                    .await
                    .map_err(EchoError::Failed)?;
                whole(&socket, address, id, sequence).await
            }
            Err(_) => {
                let opened = open(address.into(), None, id)?;
                let made = made(&opened, address, &bytes, sequence);
                made.await.map_err(EchoError::Failed)
            }
        }
    };
    match tokio::time::timeout(timeout.min(LONGEST), answered).await {
        Err(_) => Err(EchoError::TimedOut),
        Ok(Err(error)) => Err(error),
        Ok(Ok(packet)) => Ok(Answer {
            packet,
            round_trip: begun.elapsed(),
        }),
    }
}

/// The packet about this request, as it came.
async fn whole(
    socket: &UdpSocket,
    address: Ipv4Addr,
    id: u16,
    sequence: u16,
) -> Result<Vec<u8>, EchoError> {
    let mut buffer = [0; BUFFER];
    loop {
        let received = socket.recv(&mut buffer).await.map_err(EchoError::Failed)?;
        let packet = buffer.get(..received).unwrap_or_default();
        if packet::is_about(packet, address, id, sequence) {
            return Ok(packet.to_vec());
        }
    }
}

/// The reply with a header made for it. The socket is connected, so that the kernel
/// tells when the host cannot be reached.
async fn made(
    opened: &Opened,
    address: Ipv4Addr,
    request: &[u8],
    sequence: u16,
) -> io::Result<Vec<u8>> {
    let socket = &opened.socket;
    socket.connect(SocketAddr::new(address.into(), 0)).await?;
    socket.send(request).await?;
    let here = match socket.local_addr()?.ip() {
        IpAddr::V4(here) => here,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    };
    let mut buffer = [0; BUFFER];
    loop {
        let received = socket.recv(&mut buffer).await?;
        let packet = buffer.get(..received).unwrap_or_default();
        if packet::reply(address.into(), packet, opened.id, sequence).is_some() {
            return Ok(packet::with_ip_header(address, here, packet));
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
