//! Datagrams (spec 6.6): a socket that listens, and one per datagram that is sent.
//!
//! Owns both kinds, and the list of those who may be answered without a grant: whoever sent a
//! datagram to a listener shortly before, as with the clients of a TCP listener. Sending never
//! waits: a datagram that the system does not take at once is an error line.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::context::{Context, lock};
use super::dial::words;
use super::link::{Link, Phase};
use super::stream::{forward, pay};
use super::{ConnectionEvent, Endpoint, PRODUCT};
use cordon_protocol::{Codec, Decoded, Outbound};

/// Routers that a multicast datagram may cross (spec 6.6).
const MULTICAST_TTL: u32 = 2;

/// Largest datagram.
const LARGEST: usize = 65_536;

/// How long a sender may be answered, and how many of them.
const ANSWERABLE: Duration = Duration::from_secs(60);
const SENDERS: usize = 64;

/// Pause after a read that failed: the system would give the error again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// The recent senders of datagrams.
#[derive(Default)]
pub(super) struct Senders(Mutex<VecDeque<(SocketAddr, Instant)>>);

impl Senders {
    pub(super) fn note(&self, sender: SocketAddr) {
        let mut list = lock(&self.0);
        list.retain(|(known, _)| *known != sender);
        if list.len() >= SENDERS {
            list.pop_front();
        }
        list.push_back((sender, Instant::now()));
    }

    pub(super) fn may_be_answered(&self, target: SocketAddr) -> bool {
        let list = lock(&self.0);
        let found = list.iter().find(|(known, _)| *known == target);
        found.is_some_and(|(_, at)| at.elapsed() < ANSWERABLE)
    }
}

/// The multicast group that an address stands for; none for other addresses, which
/// do not count (spec 6.6).
pub(super) fn group(address: &str) -> Option<Ipv4Addr> {
    let address: Ipv4Addr = address.trim().parse().ok()?;
    address.is_multicast().then_some(address)
}

/// The task of a listener. Its end has no event (spec 6.6).
pub(super) async fn run_datagrams(
    context: Arc<Context>,
    link: Arc<Link>,
    endpoint: Endpoint,
    port: u16,
    group: Option<Ipv4Addr>,
) {
    if let Some(former) = &link.waits_for {
        former.cancelled().await;
    }
    let last = match bind(port, group) {
        Ok(socket) => {
            if link.advance(Phase::Open) {
                receive_all(&context, &link, &endpoint, &socket).await;
            }
            None
        }
        Err(error) => {
            let text = words(&error);
            let name = &endpoint.name;
            context.core_error(format!(
                "connection '{name}': listening on UDP port {port} failed: {text}"
            ));
            Some(ConnectionEvent::outcome(link.id, -1, text))
        }
    };
    link.advance(Phase::Closed);
    context.finish(&link, last).await;
}

fn bind(port: u16, group: Option<Ipv4Addr>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // Before binding, so that several programs can listen to one group.
    socket.set_reuse_address(true)?;
    socket.set_broadcast(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    if let Some(group) = group {
        // A machine without a route for groups still gets datagrams that are sent to it alone.
        let _ = socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED);
        let _ = socket.set_multicast_ttl_v4(MULTICAST_TTL);
    }
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket.into())
}

async fn receive_all(context: &Context, link: &Link, endpoint: &Endpoint, socket: &UdpSocket) {
    let _charge = match context.reach.account.charge(LARGEST as u64) {
        Ok(charge) => charge,
        Err(hit) => {
            context.error(format!(
                "connection '{}': {}",
                link.name,
                context.over(&hit)
            ));
            return;
        }
    };
    let mut buffer = vec![0; LARGEST];
    loop {
        let received = tokio::select! {
            biased;
            () = link.cancel.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        let (bytes, sender) = match received {
            Ok((count, sender)) => (buffer.get(..count).unwrap_or_default(), sender),
            Err(error) => {
                let name = &link.name;
                context.core_error(format!("connection '{name}': {}", words(&error)));
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        link.seen();
        link.count(bytes.len());
        context.senders.note(sender);
        let mut ready = VecDeque::new();
        let messages = decode(context, endpoint, bytes, sender);
        if let Err(hit) = pay(context, messages, &mut ready) {
            let name = &link.name;
            let hit = context.over(&hit);
            context.error(format!(
                "connection '{name}': datagram from {sender}: {hit}"
            ));
        }
        if !forward(context, link, Some(sender), &mut ready).await {
            return;
        }
    }
}

fn decode(
    context: &Context,
    endpoint: &Endpoint,
    bytes: &[u8],
    sender: SocketAddr,
) -> Vec<cordon_protocol::Inbound> {
    let mut decoded = Decoded::default();
    let room = context.limits.buffer();
    let fed = Codec::datagram(&endpoint.protocol, room, bytes, &mut decoded);
    let name = &endpoint.name;
    let errors = fed.err().map(|error| error.to_string());
    for problem in decoded.problems.into_iter().chain(errors) {
        context.error(format!(
            "connection '{name}': datagram from {sender}: {problem}"
        ));
    }
    decoded.messages
}

/// Sends one message as one datagram.
///
/// # Errors
///
/// The text for the plugin's log.
pub(super) fn send(
    context: &Context,
    endpoint: &Endpoint,
    message: &Outbound,
) -> Result<(), String> {
    let address: Ipv4Addr = endpoint
        .address
        .trim()
        .parse()
        .map_err(|_| format!("{:?} is no IPv4 address; UDP needs one", endpoint.address))?;
    let port = cordon_base::grants::parse_port(endpoint.port.trim())
        .filter(|&port| port != 0)
        .ok_or_else(|| format!("{:?} is no port", endpoint.port))?;
    let target = SocketAddr::from((address, port));
    if !context.senders.may_be_answered(target) {
        let checked = context.reach.network.check(&endpoint.address, target);
        checked.map_err(|denied| denied.to_string())?;
    }
    let bytes = Codec::new(&endpoint.protocol, context.limits.buffer()).encode(
        message,
        &context.credentials,
        PRODUCT,
    )?;
    write(target, &bytes).map_err(|error| format!("sending to {target}: {}", words(&error)))
}

fn write(target: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    // The reference takes any 255.x and multicast group for broadcast; plugins mean the group
    // itself.
    if target.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) {
        socket.set_broadcast(true)?;
    } else if target.ip().is_multicast() {
        socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
    }
    socket.send_to(bytes, target).map(drop)
}
