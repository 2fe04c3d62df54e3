//! Echo requests and replies as bytes (RFC 792, RFC 4443).

use std::net::{IpAddr, Ipv4Addr};

/// Bytes before the payload.
pub const HEADER: usize = 8;

/// A request with its checksum. Version 6 and unprivileged sockets have theirs
/// computed by the kernel, over more than is here.
#[must_use]
pub fn request(to: IpAddr, id: u16, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let kind = if to.is_ipv4() { 8 } else { 128 };
    let mut packet = vec![kind, 0, 0, 0];
    packet.extend(id.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(payload);
    let sum = checksum(&packet).to_be_bytes();
    if let Some(field) = packet.get_mut(2..4) {
        field.copy_from_slice(&sum);
    }
    packet
}

/// The payload of a reply to this request, or nothing if it is another packet.
/// `id` is `None` where the kernel chooses it and sorts by it.
#[must_use]
pub fn reply(from: IpAddr, packet: &[u8], id: Option<u16>, sequence: u16) -> Option<&[u8]> {
    let packet = if from.is_ipv4() {
        without_ip_header(packet)?
    } else {
        packet
    };
    let (header, payload) = packet.split_first_chunk::<HEADER>()?;
    let [
        kind,
        code,
        _,
        _,
        id_high,
        id_low,
        sequence_high,
        sequence_low,
    ] = *header;
    let expected = if from.is_ipv4() { 0 } else { 129 };
    let same = kind == expected
        && code == 0
        && id.is_none_or(|id| id == u16::from_be_bytes([id_high, id_low]))
        && sequence == u16::from_be_bytes([sequence_high, sequence_low]);
    same.then_some(payload)
}

/// ICMP types that quote the packet which they are about: unreachable, time exceeded.
const QUOTING: [u8; 2] = [3, 11];

/// Whether a packet of version 4, IP header included, is about this request: a
/// reply of the target, or a word from anybody who could not pass it on.
#[must_use]
pub fn is_about(packet: &[u8], target: Ipv4Addr, id: u16, sequence: u16) -> bool {
    let Some((source, _, icmp)) = parts(packet) else {
        return false;
    };
    let Some((header, quoted)) = icmp.split_first_chunk::<HEADER>() else {
        return false;
    };
    let numbers = [id.to_be_bytes(), sequence.to_be_bytes()].concat();
    let [kind, _, _, _, asked @ ..] = *header;
    if kind == 0 {
        return source == target && asked[..] == numbers[..];
    }
    let quotes = QUOTING.contains(&kind);
    quotes
        && parts(quoted).is_some_and(|(_, destination, asked)| {
            destination == target && asked.get(4..HEADER) == Some(&numbers)
        })
}

/// Source, destination and what is in an IPv4 packet of ICMP.
fn parts(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr, &[u8])> {
    let octets = |at: usize| -> Option<Ipv4Addr> {
        let bytes: [u8; 4] = packet.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(Ipv4Addr::from(bytes))
    };
    let first = *packet.first()?;
    let is_icmp = first >> 4 == 4 && *packet.get(9)? == 1;
    let inside = packet.get(usize::from(first & 0x0f) * 4..)?;
    is_icmp.then_some((octets(12)?, octets(16)?, inside))
}

/// An IPv4 packet around ICMP bytes, for where the kernel keeps the header.
#[must_use]
pub fn with_ip_header(source: Ipv4Addr, destination: Ipv4Addr, icmp: &[u8]) -> Vec<u8> {
    let length = u16::try_from(icmp.len().saturating_add(20)).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let mut packet = vec![0x45, 0, high, low, 0, 0, 0, 0, 0, 1, 0, 0];
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let sum = checksum(&packet).to_be_bytes();
    if let Some(field) = packet.get_mut(10..12) {
        field.copy_from_slice(&sum);
    }
    packet.extend(icmp);
    packet
}

/// Raw sockets of version 4 give the IP header as well, others do not. The types
/// of ICMP replies and the first byte of IPv4 (0x45 and above) differ.
fn without_ip_header(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    if first >> 4 != 4 {
        return Some(packet);
    }
    packet.get(usize::from(first & 0x0f) * 4..)
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    };
    // 1400 bytes are 700 words: no overflow.
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).map_or(0, |sum| !sum)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    const V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_checksum_of_a_request_makes_its_sum_zero() {
        let packet = request(V4, 0x1234, 7, b"abc");
        assert_eq!(packet[0], 8);
        assert_eq!(checksum(&packet), 0);
    }

    #[test]
    fn a_reply_is_recognised_with_and_without_the_ip_header() {
        let mut packet = request(V4, 5, 6, b"xyz");
        packet[0] = 0;
        assert_eq!(reply(V4, &packet, Some(5), 6), Some(&b"xyz"[..]));
        let mut whole = vec![0x45; 20];
        whole.extend(&packet);
        assert_eq!(reply(V4, &whole, Some(5), 6), Some(&b"xyz"[..]));
        assert_eq!(reply(V4, &packet, Some(4), 6), None);
        assert_eq!(reply(V4, &packet, None, 7), None);
        for length in 0..28 {
            assert_eq!(reply(V4, &whole[..length], Some(5), 6), None);
        }
    }

    #[test]
    fn an_answer_is_told_from_packets_of_others() {
        let (target, router) = (Ipv4Addr::new(10, 0, 0, 5), Ipv4Addr::new(10, 0, 0, 1));
        let here = Ipv4Addr::new(10, 0, 0, 2);
        let mut icmp = request(target.into(), 5, 6, b"ping");
        let asked = with_ip_header(here, target, &icmp);
        assert!(!is_about(&asked, target, 5, 6));
        assert_eq!(checksum(&asked[..20]), 0);
        icmp[0] = 0;
        let reply = with_ip_header(target, here, &icmp);
        assert!(is_about(&reply, target, 5, 6));
        assert!(!is_about(&reply, target, 5, 7) && !is_about(&reply, router, 5, 6));
        let quoting = [&[3, 1, 0, 0, 0, 0, 0, 0], &asked[..28]].concat();
        let unreachable = with_ip_header(router, here, &quoting);
        assert!(is_about(&unreachable, target, 5, 6));
        assert!(!is_about(&unreachable, router, 5, 6));
        for length in 0..unreachable.len() {
            assert!(!is_about(&unreachable[..length], target, 5, 6), "{length}");
        }
    }
}
