//! Echo requests and replies as bytes (RFC 792, RFC 4443).

use std::net::IpAddr;

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
}
