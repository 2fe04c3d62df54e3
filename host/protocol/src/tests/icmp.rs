//! Section 7.9: ICMP.

use super::*;

/// 127.0.0.1 answers `ping`, as a raw socket gives it.
const REPLY: [u8; 32] = [
    0x45, 0, 0, 32, 0x12, 0x34, 0, 0, 64, 1, 0xab, 0xcd, 127, 0, 0, 1, 127, 0, 0, 2, 0, 0, 0x11,
    0x22, 0x33, 0x44, 0, 5, b'p', b'i', b'n', b'g',
];

#[test]
fn icmp_a_packet_is_taken_apart() {
    let Inbound::Icmp(answer) = crate::icmp::message(&REPLY, Some(3)) else {
        panic!("no ICMP");
    };
    let headers = answer.headers.unwrap();
    assert_eq!((answer.status, answer.elapsed_ms), (0, Some(3)));
    assert_eq!(answer.data, REPLY);
    assert_eq!(headers.source, "127.0.0.1");
    assert_eq!(headers.destination, "127.0.0.2");
    assert_eq!((headers.version, headers.protocol), (4, 1));
    assert_eq!((headers.header_length, headers.total_length), (20, 32));
    assert_eq!((headers.identification, headers.time_to_live), (0x1234, 64));
    assert_eq!(
        (headers.header_checksum, headers.checksum),
        (0xabcd, 0x1122)
    );
    assert_eq!((headers.identifier, headers.sequence_number), (0x3344, 5));
}

#[test]
fn icmp_only_replies_have_a_time() {
    let mut packet = REPLY;
    packet[20] = 3;
    let Inbound::Icmp(answer) = crate::icmp::message(&packet, Some(3)) else {
        panic!("no ICMP");
    };
    assert_eq!((answer.status, answer.elapsed_ms), (3, None));
}

#[test]
fn icmp_what_is_no_packet_stays_bytes() {
    for length in 1..28 {
        let (before, _) = run("ICMP", &[&REPLY[..length]]);
        assert_eq!(before, [Inbound::Bytes(REPLY[..length].to_vec())]);
    }
    assert!(matches!(run("ICMP", &[&REPLY]).0[..], [Inbound::Icmp(_)]));
    // A header that says to be longer than the packet.
    let mut long = REPLY;
    long[0] = 0x4f;
    assert!(matches!(run("ICMP", &[&long]).0[..], [Inbound::Bytes(_)]));
}

#[test]
fn icmp_no_answer_rule_150() {
    let none = IcmpInbound::no_answer();
    assert_eq!(
        (none.status, none.elapsed_ms, none.headers),
        (11, None, None)
    );
    assert!(none.data.is_empty());
}
