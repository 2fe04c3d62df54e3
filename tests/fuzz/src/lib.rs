//! What the fuzz targets have in common: bytes, cut into reads, through one codec.

use cordon_protocol::{Codec, CodecError, Decoded};

/// What one connection may hold here; small, so that inputs reach it.
const BOUND: usize = 4096;

/// Feeds `data` as it is and cut into reads, and compares what comes out.
///
/// The first two bytes choose the lengths of the reads.
///
/// # Panics
///
/// When the messages depend on the cuts, or more is held than was received or the
/// bound allows.
pub fn check(protocol: &str, data: &[u8]) {
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
    assert_eq!(whole, decode(protocol, pieces), "the cuts change the messages");
}

/// Feeds one packet, for protocols whose reads are their messages.
pub fn check_packet(protocol: &str, data: &[u8]) {
    let mut out = Decoded::default();
    let _ = Codec::datagram(protocol, BOUND, data, &mut out);
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
        // What is told of a message costs more than its bytes, but not without end:
        // a control character in JSON becomes six, an empty topic an object.
        assert!(message.size() <= 16 * BOUND, "{} bytes", message.size());
    }
    Ok(out)
}
