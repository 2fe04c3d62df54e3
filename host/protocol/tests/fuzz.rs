//! Compiles the bodies of the fuzz targets and tries each with bytes that the seed of a run chooses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::ffi::OsString;

use proptest::prelude::*;

#[path = "../../../tests/fuzz/src/lib.rs"]
mod targets;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 7] = [
    ("http", targets::http),
    ("icmp", targets::icmp),
    ("json", targets::json),
    ("line", targets::line),
    ("mqtt", targets::mqtt),
    ("websocket", targets::websocket),
    ("xml", targets::xml),
];

#[test]
fn every_target_of_the_fuzzer_is_tried_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/fuzz_targets");
    let files: BTreeSet<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned())
        .collect();
    let tried = TARGETS.map(|(name, _)| OsString::from(name));
    assert_eq!(files, BTreeSet::from(tried));
}

proptest! {
    #[test]
    fn no_bytes_break_a_codec(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (_, target) in TARGETS {
            target(&data);
        }
    }

    /// Bytes that mean something in one protocol or another come further than others.
    #[test]
    fn no_pieces_of_messages_break_a_codec(
        cuts in any::<[u8; 2]>(),
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40),
    ) {
        let data = [cuts.as_slice(), pieces.concat().as_bytes()].concat();
        for (_, target) in TARGETS {
            target(&data);
        }
    }
}

const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r\n\r\n",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\u00",
    "'",
    "a",
    "1",
    "<a>",
    "</a>",
    "<?xml?>",
    "<a/>",
    "HTTP/1.1 200 OK\r\n",
    "GET / HTTP/1.1\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "\x20\x02\0\0",
    "\x30\x05\0\x01a",
    "\x01\x02hi",
    "\0",
    "\x7f",
];
