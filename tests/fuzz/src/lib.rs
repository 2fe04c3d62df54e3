//! The bodies of the fuzz targets: bytes, cut into reads, through one codec.
//!
//! `host/protocol/tests/fuzz.rs` compiles this file too and tries each target, so that a change of
//! the codecs that breaks one is seen without the fuzzer's compiler.

use cordon_protocol::{Codec, CodecError, Decoded};

/// The buffer of one connection here; small, so that inputs reach it.
const BOUND: usize = 4096;

/// Protocol `HTTP`.
pub fn http(data: &[u8]) {
    check("HTTP", data);
}

/// Protocol `ICMP`, whose reads are its messages.
pub fn icmp(data: &[u8]) {
    let mut out = Decoded::default();
    let _ = Codec::datagram("ICMP", BOUND, data, &mut out);
    assert!(out.messages.len() <= 1, "{} messages", out.messages.len());
}

/// Protocol `JSON`.
pub fn json(data: &[u8]) {
    check("JSON", data);
}

/// Protocol `Line`.
pub fn line(data: &[u8]) {
    check("Line", data);
}

/// Protocol `MQTT`.
pub fn mqtt(data: &[u8]) {
    check("MQTT", data);
}

/// Protocol `WS`.
pub fn websocket(data: &[u8]) {
    check("WS", data);
}

/// Protocol `XML`.
pub fn xml(data: &[u8]) {
    check("XML", data);
}

/// Feeds `data` as it is and cut into reads, and compares the results.
///
/// The first two bytes choose the lengths of the reads. Panics when the messages depend on the
/// cuts, or more is held than was received or the bound allows.
fn check(protocol: &str, data: &[u8]) {
    let Some(([short, long], data)) = data.split_first_chunk() else {
        return;
    };
    let whole = decode(protocol, [data].into_iter());
    let cuts = [usize::from(*short) + 1, usize::from(*long) + 1];
    let mut left = data;
    let mut turn = cuts.into_iter().cycle();
    let pieces = std::iter::from_fn(|| {
        let cut = turn.next()?.min(left.len());
        let (piece, rest) = left.split_at(cut);
        left = rest;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(
        whole,
        decode(protocol, pieces),
        "the cuts change the messages"
    );
}

fn decode<'a>(
    protocol: &str,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<Decoded, CodecError> {
    let mut codec = Codec::new(protocol, BOUND);
    let mut out = Decoded::default();
    for piece in pieces {
        codec.feed(piece, &mut out)?;
    }
    codec.close(&mut out);
    for message in &out.messages {
        // The events of a message cost more than its bytes, but not without end:
        // a control character in JSON becomes six, an empty topic an object.
        assert!(message.size() <= 16 * BOUND, "{} bytes", message.size());
    }
    Ok(out)
}
