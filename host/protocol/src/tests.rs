//! Section 7 of the behaviour spec, by rule number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod http;
mod icmp;
mod mqtt;
mod websocket;
mod xml;

use proptest::prelude::*;

use super::*;

const BOUND: usize = 64 * 1024;

/// The name of a framework for its peers.
const PRODUCT: &str = "Product/1.0";

/// Feeds the reads, then closes; messages before the close and after it.
fn run(protocol: &str, reads: &[&[u8]]) -> (Vec<Inbound>, Vec<Inbound>) {
    let mut codec = Codec::new(protocol, BOUND);
    let mut out = Decoded::default();
    for read in reads {
        codec.feed(read, &mut out).unwrap();
    }
    let before = std::mem::take(&mut out.messages);
    codec.close(&mut out);
    (before, out.messages)
}

fn bytes(texts: &[&str]) -> Vec<Inbound> {
    let each = texts
        .iter()
        .map(|text| Inbound::Bytes(text.as_bytes().to_vec()));
    each.collect()
}

fn json(texts: &[&str]) -> Vec<Inbound> {
    texts
        .iter()
        .map(|text| Inbound::Json((*text).to_owned()))
        .collect()
}

fn http(message: &Inbound) -> &HttpInbound {
    match message {
        Inbound::Http(message) => message,
        other => panic!("not HTTP: {other:?}"),
    }
}

fn text(data: &Option<Vec<u8>>) -> &str {
    std::str::from_utf8(data.as_deref().expect("no data")).unwrap()
}

fn feed_error(protocol: &str, bound: usize, bytes: &[u8]) -> CodecError {
    let mut codec = Codec::new(protocol, bound);
    let error = codec.feed(bytes, &mut Decoded::default());
    error.expect_err("accepted")
}

fn limit_used(error: CodecError) -> u64 {
    match error {
        CodecError::Limit(hit) => {
            assert_eq!(hit.which, "connection-buffer");
            hit.used
        }
        CodecError::Malformed(text) => panic!("no limit: {text}"),
    }
}

#[test]
fn none_delivers_each_read_rule_108() {
    assert_eq!(
        run("None", &[b"a", b"", b"bc"]),
        (bytes(&["a", "bc"]), vec![])
    );
    assert_eq!(run("Klingon", &[b"a"]).0, bytes(&["a"]));
}

#[test]
fn line_splits_at_cr_and_gives_the_rest_at_the_close_rule_105() {
    assert_eq!(
        run("Line", &[b"a\r\nb\rc"]),
        (bytes(&["a", "b"]), bytes(&["c"]))
    );
}

#[test]
fn line_does_not_split_at_lf_rule_106() {
    assert_eq!(run("Line", &[b"x\ny\n"]), (vec![], bytes(&["x\ny\n"])));
}

#[test]
fn line_drops_empty_lines_rule_107() {
    assert_eq!(run("Line", &[b"a\r\n\r\nb\r"]).0, bytes(&["a", "b"]));
}

#[test]
fn line_takes_an_lf_from_the_next_read_as_the_end_of_the_line() {
    assert_eq!(run("Line", &[b"a\r", b"\nb\r"]).0, bytes(&["a", "b"]));
    assert_eq!(run("Line", &[b"a\r\n\nb\r"]).0, bytes(&["a", "\nb"]));
}

#[test]
fn json_objects_need_nothing_between_them_rule_109() {
    let expected = json(&[r#"{"a":1}"#, r#"{"b":2}"#]);
    assert_eq!(run("JSON", &[br#"{"a":1}{"b":2}"#]).0, expected);
    assert_eq!(
        run("JSON", &[b"{\"a\":1}\r\n {\"b\":2}\n"]),
        (expected, vec![])
    );
}

#[test]
fn json_objects_may_be_cut_by_reads_rule_110() {
    let (before, after) = run("JSON", &[br#"{"a":"#, br#"{"b":1}}"#]);
    assert_eq!((before, after), (json(&[r#"{"a":{"b":1}}"#]), vec![]));
}

#[test]
fn json_that_cannot_be_parsed_comes_as_bytes_with_an_error_line_rule_111() {
    let mut codec = Codec::new("JSON", BOUND);
    let mut out = Decoded::default();
    codec.feed(br#"{"a":}{"b":1}"#, &mut out).unwrap();
    assert_eq!(out.messages[0], Inbound::Bytes(br#"{"a":}"#.to_vec()));
    assert_eq!(out.messages[1], Inbound::Json(r#"{"b":1}"#.to_owned()));
    assert_eq!(out.problems.len(), 1);
    assert!(out.problems[0].contains("column 6"), "{:?}", out.problems);
}

#[test]
fn json_braces_in_strings_and_after_escapes_count_for_nothing() {
    let object = r#"{"a":"}{","b":"\"}","c":"\\"}"#;
    assert_eq!(run("JSON", &[object.as_bytes()]).0, json(&[object]));
}

#[test]
fn json_arrays_scalars_and_junk_come_as_bytes() {
    assert_eq!(
        run("JSON", &[b"[1,{\"x\":2}]"]).0,
        bytes(&["[1,{\"x\":2}]"])
    );
    let (before, after) = run("JSON", &[b"OK\n{\"a\":1}42\n"]);
    assert_eq!(before, [bytes(&["OK"]), json(&["{\"a\":1}"])].concat());
    assert_eq!(after, bytes(&["42"]));
    assert_eq!(run("JSON", &[b"{\"a\":"]).1, bytes(&["{\"a\":"]));
}

#[test]
fn json_dialect_of_the_reference_becomes_strict_json() {
    let odd = "{ // }\n \"a\" : 007 , /* } */ \"b\":[1,\n],\"c\":\"x\ty\",\"d\":100,\"e\":1e-05,}";
    let (before, _) = run("JSON", &[odd.as_bytes()]);
    let Inbound::Json(strict) = &before[0] else {
        panic!("{before:?}");
    };
    let value: serde_json::Value = serde_json::from_str(strict).unwrap();
    let expected = serde_json::json!({"a": 7, "b": [1], "c": "x\ty", "d": 100, "e": 1e-5});
    assert_eq!(value, expected);
    for refused in ["{'a':1}", "{a:1}", "{\"a\":NaN}"] {
        assert_eq!(run("JSON", &[refused.as_bytes()]).0, bytes(&[refused]));
    }
}

#[test]
fn json_nested_too_deeply_for_python_comes_as_bytes() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(run("JSON", &[deep.as_bytes()]).0, bytes(&[&deep]));
}

#[test]
fn every_codec_stops_at_its_bound() {
    assert_eq!(limit_used(feed_error("Line", 10, &[b'x'; 11])), 11);
    assert_eq!(limit_used(feed_error("JSON", 10, b"{\"aaaaaaaaaaaaaa")), 11);
    assert_eq!(
        limit_used(feed_error("HTTP", 10, b"GET /aaaaaaaaaaaaaa")),
        19
    );
    let told = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(limit_used(feed_error("HTTP", BOUND, told)), 99_999_999_999);
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
    assert_eq!(limit_used(feed_error("HTTP", BOUND, chunk)), u64::MAX);
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.extend([0; BOUND]);
    assert!(limit_used(feed_error("HTTP", BOUND, &endless)) > BOUND as u64);
}

#[test]
fn a_message_just_within_the_bound_is_delivered() {
    let mut codec = Codec::new("Line", 10);
    let mut out = Decoded::default();
    codec.feed(b"0123456789\r", &mut out).unwrap();
    assert_eq!(out.messages, bytes(&["0123456789"]));
}

/// The messages whatever the cuts: `cuts` are offsets, in any order.
fn in_pieces(protocol: &str, all: &[u8], cuts: &[usize]) -> Result<Decoded, CodecError> {
    let mut codec = Codec::new(protocol, BOUND);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (all.len() + 1)).collect();
    ends.extend([0, all.len()]);
    ends.sort_unstable();
    let mut out = Decoded::default();
    for pair in ends.windows(2) {
        codec.feed(&all[pair[0]..pair[1]], &mut out)?;
    }
    codec.close(&mut out);
    Ok(out)
}

fn pieces_of(kinds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(kinds).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

const LINE: &[&str] = &["\r", "\n", "\r\n", "abc", "x\ry", "\r\r\n\n"];
const JSON: &[&str] = &[
    "{\"a\":1}",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "{\"b\":\"}{\"}",
    "\n",
    "// }\n",
    "/* } */",
    "{\"n\":{\"m\":[1,2,{}]}}",
    "\u{feff}",
    "{\"k\":01,}",
    "x",
];

proptest! {
    #[test]
    fn line_is_the_same_however_it_is_cut(all in pieces_of(LINE), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("Line", &all, &cuts), in_pieces("Line", &all, &[]));
    }

    #[test]
    fn json_is_the_same_however_it_is_cut(all in pieces_of(JSON), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("JSON", &all, &cuts), in_pieces("JSON", &all, &[]));
    }

    #[test]
    fn no_bytes_make_a_codec_panic(
        all in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in any::<[usize; 3]>(),
    ) {
        for protocol in ["None", "Line", "JSON", "HTTP", "XML", "WS", "MQTT", "ICMP"] {
            if let Ok(out) = in_pieces(protocol, &all, &cuts) {
                prop_assert!(out.messages.iter().all(|message| message.size() > 0
                    || matches!(message, Inbound::Http(_))));
            }
        }
    }

    #[test]
    fn json_messages_are_always_strict_objects(all in pieces_of(JSON)) {
        for message in in_pieces("JSON", &all, &[]).unwrap().messages {
            if let Inbound::Json(text) = message {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert!(value.is_object());
            }
        }
    }

}
