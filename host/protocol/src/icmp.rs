//! Protocol `ICMP` (spec 7.9): one IP packet is one message.
//!
//! Owns the fields of the two headers as plugins see them. Whether an answer came
//! and how long it took is known by who sent the request.

use super::Inbound;

/// ICMP type of an echo reply, the only answer that has a time.
pub const ECHO_REPLY: u8 = 0;

/// ICMP type that also stands for no answer at all (rule 150).
pub const TIME_EXCEEDED: u8 = 11;

/// Bytes of an IPv4 header without options, and of an ICMP header.
const IP_HEADER: usize = 20;
const ICMP_HEADER: usize = 8;

/// What came, or did not come, for an echo request (`icmp-inbound` of the contract).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpInbound {
    /// The ICMP type; 11 when nothing came in time.
    pub status: u8,
    /// Milliseconds from request to reply, at least 1; of replies only.
    pub elapsed_ms: Option<u32>,
    /// The headers, when a packet came.
    pub headers: Option<IcmpHeaders>,
    /// The whole packet, IP header included; empty when none came.
    pub data: Vec<u8>,
}

/// The fields of both headers (`icmp-headers` of the contract).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpHeaders {
    /// Sender.
    pub source: String,
    /// Receiver.
    pub destination: String,
    /// IP version: 4.
    pub version: u8,
    /// IP protocol: 1 for ICMP.
    pub protocol: u8,
    /// Type of service.
    pub type_of_service: u8,
    /// Bytes of the IP header.
    pub header_length: u8,
    /// Bytes of the packet.
    pub total_length: u16,
    /// Number of the packet.
    pub identification: u16,
    /// Checksum of the IP header.
    pub header_checksum: u16,
    /// Hops that are left.
    pub time_to_live: u8,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub code: u8,
    /// Checksum of the ICMP part.
    pub checksum: u16,
    /// Identifier of the request.
    pub identifier: u16,
    /// Sequence number of the request.
    pub sequence_number: u16,
}

impl IcmpInbound {
    /// What a plugin gets when nothing came in time (rule 150).
    #[must_use]
    pub fn no_answer() -> Self {
        Self {
            status: TIME_EXCEEDED,
            elapsed_ms: None,
            headers: None,
            data: Vec::new(),
        }
    }
}

/// One packet as a message: as bytes when it is no ICMP packet of version 4.
#[must_use]
pub fn message(packet: &[u8], elapsed_ms: Option<u32>) -> Inbound {
    match headers(packet) {
        Some(headers) => Inbound::Icmp(Box::new(IcmpInbound {
            status: headers.icmp_type,
            elapsed_ms: elapsed_ms.filter(|_| headers.icmp_type == ECHO_REPLY),
            headers: Some(headers),
            data: packet.to_vec(),
        })),
        None => Inbound::Bytes(packet.to_vec()),
    }
}

fn headers(packet: &[u8]) -> Option<IcmpHeaders> {
    let ip = packet.first_chunk::<IP_HEADER>()?;
    let [
        first,
        type_of_service,
        length_high,
        length_low,
        id_high,
        id_low,
        _,
        _,
        time_to_live,
        protocol,
        sum_high,
        sum_low,
        s0,
        s1,
        s2,
        s3,
        d0,
        d1,
        d2,
        d3,
    ] = *ip;
    let header_length = (first & 0x0f).checked_mul(4)?;
    if first >> 4 != 4 || usize::from(header_length) < IP_HEADER || protocol != 1 {
        return None;
    }
    let icmp = packet.get(usize::from(header_length)..)?;
    let [icmp_type, code, c0, c1, i0, i1, n0, n1] = *icmp.first_chunk::<ICMP_HEADER>()?;
    let word = |high, low| u16::from_be_bytes([high, low]);
    Some(IcmpHeaders {
        source: std::net::Ipv4Addr::new(s0, s1, s2, s3).to_string(),
        destination: std::net::Ipv4Addr::new(d0, d1, d2, d3).to_string(),
        version: 4,
        protocol,
        type_of_service,
        header_length,
        total_length: word(length_high, length_low),
        identification: word(id_high, id_low),
        header_checksum: word(sum_high, sum_low),
        time_to_live,
        icmp_type,
        code,
        checksum: word(c0, c1),
        identifier: word(i0, i1),
        sequence_number: word(n0, n1),
    })
}
