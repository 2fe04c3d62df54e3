//! Ports for whoever a test starts: a plugin that listens, or another program.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// The ports that are given out: none of them is in the range of which the kernel takes one for
/// a connection that names none (`ip_local_port_range`, 32768 to 60999 unless it was changed).
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// A port that nobody has, of TCP and of UDP.
///
/// A port that the kernel chose would be free too, until it chooses the same one for a
/// connection of another test: that one is then "in use" for whoever was meant to listen.
/// Each call gives another port; two processes begin at different places.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id().wrapping_mul(997);
    for _ in 0..COUNT {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let place = begin.wrapping_add(step) % u32::from(COUNT);
        let port = FIRST + u16::try_from(place).expect("a place below the count");
        let everybody = (Ipv4Addr::UNSPECIFIED, port);
        if TcpListener::bind(everybody).is_ok() && UdpSocket::bind(everybody).is_ok() {
            return port;
        }
    }
    panic!("no port from {FIRST} on is free")
}
