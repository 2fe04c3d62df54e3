//! Section 7.7: WebSocket.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn frames(reads: &[&[u8]]) -> Vec<WebSocketInbound> {
    run("WS", reads).0.into_iter().map(frame).collect()
}

fn frame(message: Inbound) -> WebSocketInbound {
    match message {
        Inbound::WebSocket(frame) => frame,
        other => panic!("no frame: {other:?}"),
    }
}

fn expected(opcode: Opcode, finish: bool, payload: &[u8]) -> WebSocketInbound {
    WebSocketInbound {
        opcode,
        finish,
        mask: None,
        payload: payload.to_vec(),
    }
}

fn write(opcode: Opcode, payload: &[u8], mask: Option<u32>) -> Vec<u8> {
    let message = Outbound::WebSocket(WebSocketOutbound {
        opcode,
        mask,
        payload: payload.to_vec(),
    });
    let none = Credentials::default();
    Codec::new("WS", BOUND)
        .encode(&message, &none, PRODUCT)
        .unwrap()
}

#[test]
fn ws_text_rule_133() {
    let got = frames(&[b"\x81\x05hello"]);
    assert_eq!(got, [expected(Opcode::Text, true, b"hello")]);
}

#[test]
fn ws_fragments_are_joined_rules_134_and_197() {
    let got = frames(&[b"\x01\x03abc", b"\x89\x01p\x00\x00", b"\x80\x01g\x82\x01x"]);
    let all = [
        expected(Opcode::Ping, true, b"p"),
        expected(Opcode::Text, true, b"abcg"),
        expected(Opcode::Binary, true, b"x"),
    ];
    assert_eq!(got, all);
}

#[test]
fn ws_fragments_out_of_order_are_dropped_rule_198() {
    let mut codec = Codec::new("WS", BOUND);
    let mut out = Decoded::default();
    // A continuation of nothing, a message inside of another, and then one that is whole.
    codec
        .feed(b"\x80\x01a\x01\x01b\x81\x01c\x81\x01d", &mut out)
        .unwrap();
    assert_eq!(
        frame(out.messages.remove(0)),
        expected(Opcode::Text, true, b"d")
    );
    assert!(out.problems[0].contains("continues no message"));
    assert!(out.problems[1].contains("inside of another"));
    assert_eq!((out.messages.len(), out.problems.len()), (0, 2));
}

#[test]
fn ws_a_frame_whose_length_makes_no_sense_is_dropped_rule_198() {
    let mut codec = Codec::new("WS", BOUND);
    let mut out = Decoded::default();
    codec.feed(b"\x01\x01a", &mut out).unwrap();
    codec
        .feed(b"\x82\x7f\x80\0\0\0\0\0\0\x01", &mut out)
        .unwrap();
    assert!(
        out.problems[0].contains("makes no sense"),
        "{:?}",
        out.problems
    );
    codec.feed(b"\x81\x01b", &mut out).unwrap();
    assert_eq!(
        frame(out.messages.remove(0)),
        expected(Opcode::Text, true, b"b")
    );
}

#[test]
fn ws_a_joined_message_stops_at_the_bound() {
    let mut codec = Codec::new("WS", 10);
    let mut out = Decoded::default();
    codec.feed(b"\x02\x08aaaaaaaa", &mut out).unwrap();
    assert!(codec.held() >= 8);
    let error = codec.feed(b"\x00\x03bbb", &mut out).unwrap_err();
    assert_eq!(limit_used(error), 11);
    assert!(out.messages.is_empty());
}

#[test]
fn ws_control_frames_rules_135_136() {
    let got = frames(&[b"\x89\x03abc\x88\x02\x03\xe8\x8a\x00"]);
    let all = [
        expected(Opcode::Ping, true, b"abc"),
        expected(Opcode::Close, true, &[3, 0xe8]),
        expected(Opcode::Pong, true, b""),
    ];
    assert_eq!(got, all);
}

#[test]
fn ws_masks_are_taken_off_and_told() {
    let got = frames(&[b"\x81\x82\x00\x02\x03\x04hk"]);
    assert_eq!(got[0].mask, Some(0x0002_0304));
    assert_eq!(got[0].payload, b"hi");
}

#[test]
fn ws_lengths_of_all_sizes() {
    for size in [125, 126, 65_535, 65_536] {
        let payload = vec![7; size];
        let mut codec = Codec::new("WS", 1 << 20);
        let mut out = Decoded::default();
        codec
            .feed(&write(Opcode::Binary, &payload, None), &mut out)
            .unwrap();
        assert_eq!(frame(out.messages.remove(0)).payload, payload);
    }
}

#[test]
fn ws_what_is_written_has_the_bytes_of_rules_137_138() {
    assert_eq!(write(Opcode::Text, b"hi", None), b"\x81\x02hi");
    let masked = write(Opcode::Text, b"hi", Some(0x0102_0304));
    assert_eq!(masked, b"\x81\x82\x01\x02\x03\x04ik");
    assert_eq!(write(Opcode::Ping, b"", None), b"\x89\x00");
    assert_eq!(write(Opcode::Continuation, b"", None), b"\x80\x00");
    assert_eq!(
        write(Opcode::Text, &[b'x'; 126], None)[..4],
        *b"\x81\x7e\x00\x7e"
    );
    let long = write(Opcode::Text, &[b'x'; 65_536], None);
    assert_eq!(long[..10], *b"\x81\x7f\0\0\0\0\0\x01\0\0");
}

#[test]
fn ws_an_unknown_kind_is_told_and_passed_on() {
    let mut codec = Codec::new("WS", BOUND);
    let mut out = Decoded::default();
    codec.feed(b"\x83\x01x", &mut out).unwrap();
    assert_eq!(
        frame(out.messages.remove(0)),
        expected(Opcode::Other, true, b"x")
    );
    assert!(
        out.problems[0].contains("unknown kind 3"),
        "{:?}",
        out.problems
    );
}

const UPGRADE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

#[test]
fn ws_frames_may_follow_the_response_at_once() {
    let all = [UPGRADE, b"\x81\x05hello"].concat();
    let (before, _) = run("WS", &[&all]);
    assert_eq!(http(&before[0]).status.as_deref(), Some("101"));
    assert_eq!(frame(before[1].clone()).payload, b"hello");
}

#[test]
fn ws_a_refusal_is_an_ordinary_response() {
    let refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno";
    let (before, _) = run("WS", &[refusal, UPGRADE, b"\x8a\x00"]);
    assert_eq!(http(&before[0]).data.as_deref(), Some(&b"no"[..]));
    assert_eq!(http(&before[1]).status.as_deref(), Some("101"));
    assert_eq!(frame(before[2].clone()).opcode, Opcode::Pong);
    let open = b"HTTP/1.0 403 Forbidden\r\n\r\nbody";
    assert_eq!(
        http(&run("WS", &[open]).1[0]).data.as_deref(),
        Some(&b"body"[..])
    );
}

#[test]
fn ws_half_a_frame_is_dropped_at_the_close() {
    assert_eq!(run("WS", &[b"\x81\x05hel"]), (vec![], vec![]));
}

#[test]
fn ws_stops_at_its_bound() {
    assert_eq!(limit_used(feed_error("WS", 10, b"\x82\x0b")), 11);
    let huge = b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff";
    assert_eq!(limit_used(feed_error("WS", BOUND, huge)), u64::MAX >> 1);
}

/// The bytes that a server with `permessage-deflate` sends for these messages.
fn compressed(messages: &[&[u8]]) -> Vec<u8> {
    let mut wire =
        b"HTTP/1.1 101 x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n".to_vec();
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let mut done = 0;
    for message in messages {
        encoder.write_all(message).unwrap();
        encoder.flush().unwrap();
        let all = encoder.get_ref();
        let body = all[done..]
            .strip_suffix(&[0, 0, 0xff, 0xff])
            .unwrap()
            .to_vec();
        done = all.len();
        let start = wire.len();
        wire.extend(write(Opcode::Text, &body, None));
        wire[start] |= 0x40;
    }
    wire
}

#[test]
fn ws_compressed_messages_are_expanded() {
    let texts: [&[u8]; 3] = [b"hello hello hello", b"", b"hello hello again"];
    let (before, _) = run("WS", &[&compressed(&texts)]);
    let got: Vec<_> = before[1..]
        .iter()
        .cloned()
        .map(|it| frame(it).payload)
        .collect();
    assert_eq!(got, texts);
}

#[test]
fn ws_a_compressed_message_stops_at_the_bound() {
    let bomb = compressed(&[&vec![b'x'; 4 << 20]]);
    assert!(bomb.len() < 10_000);
    let used = limit_used(feed_error("WS", BOUND, &bomb));
    assert!(
        (BOUND as u64..BOUND as u64 + 100_000).contains(&used),
        "{used}"
    );
    let mut nonsense = UPGRADE.to_vec();
    nonsense.splice(
        14..14,
        b"\r\nSec-WebSocket-Extensions: permessage-deflate; x=1".to_vec(),
    );
    nonsense.extend(b"\xc1\x03\xff\xff\xff");
    let error = feed_error("WS", BOUND, &nonsense);
    assert!(matches!(error, CodecError::Malformed(_)), "{error}");
}

const WS: &[&str] = &[
    "HTTP/1.1 101 x\r\n\r\n",
    "HTTP/1.1 101 x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HT",
    "\u{1}\u{3}abc",
    "\u{2}\u{0}",
    "\u{9}\u{1}x",
    "\u{1}~\u{0}\u{5}hello",
    "A\u{4}abcd",
    "\u{0}\u{1}g",
];

proptest! {
    #[test]
    fn ws_is_the_same_however_it_is_cut(all in pieces_of(WS), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("WS", &all, &cuts), in_pieces("WS", &all, &[]));
    }

    #[test]
    fn ws_what_is_written_is_read_back(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        mask in any::<Option<u32>>(),
    ) {
        let got = frames(&[&write(Opcode::Binary, &payload, mask)]);
        prop_assert_eq!(&got[0].payload, &payload);
        prop_assert_eq!(got[0].mask, mask);
    }
}
