//! Sending datagrams (spec 6.6): a socket is made, used once and closed.
//!
//! Nothing waits: a datagram that the system does not take at once is an error
//! line. Listening for datagrams is not available in this build: the contract
//! has no event yet that carries a sender.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use super::Endpoint;
use super::context::Context;
use super::dial::words;
use crate::protocol::{Codec, Outbound};

/// Routers that a multicast datagram may cross (spec 6.6).
const MULTICAST_TTL: u32 = 2;

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
    let port = crate::grants::parse_port(endpoint.port.trim())
        .filter(|&port| port != 0)
        .ok_or_else(|| format!("{:?} is no port", endpoint.port))?;
    let target = SocketAddr::from((address, port));
    let checked = context.policy.check(&endpoint.address, target);
    checked.map_err(|denied| denied.to_string())?;
    let bytes = Codec::new(&endpoint.protocol, context.limits.buffer())
        .encode(message, &context.credentials)?;
    write(target, &bytes).map_err(|error| format!("sending to {target}: {}", words(&error)))
}

fn write(target: SocketAddr, bytes: &[u8]) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    // The reference takes any 255.x and multicast group for broadcast; the group
    // itself is what plugins mean.
    if target.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) {
        socket.set_broadcast(true)?;
    } else if target.ip().is_multicast() {
        socket.set_multicast_ttl_v4(MULTICAST_TTL)?;
    }
    socket.send_to(bytes, target).map(drop)
}
