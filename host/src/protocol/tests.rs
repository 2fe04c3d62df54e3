//! Section 7 of the behaviour spec, by rule number.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod icmp;
mod mqtt;
mod websocket;
mod xml;

use proptest::prelude::*;

use super::*;

const BOUND: usize = 64 * 1024;

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
fn http_response_with_length_rule_117() {
    let (before, after) = run(
        "HTTP",
        &[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    );
    let message = http(&before[0]);
    assert_eq!(message.status.as_deref(), Some("200"));
    assert_eq!(message.verb, None);
    assert_eq!(
        message.headers,
        [("Content-Length".to_owned(), vec!["5".to_owned()])]
    );
    assert_eq!(text(&message.data), "hello");
    assert!(after.is_empty());
}

#[test]
fn http_responses_that_have_no_body_come_at_once_rule_118() {
    for status in ["204 No Content", "304 Not Modified", "100 Continue"] {
        let response = format!("HTTP/1.1 {status}\r\nServer: x\r\n\r\n");
        let (before, _) = run("HTTP", &[response.as_bytes()]);
        assert_eq!(http(&before[0]).data, None, "{status}");
    }
}

#[test]
fn http_header_names_group_by_exact_case_rule_119() {
    let (before, _) = run(
        "HTTP",
        &[b"HTTP/1.1 204 x\r\nSet-Cookie: a\r\nset-cookie: d\r\nSet-Cookie:b\r\nSet-Cookie: c \r\n\r\n"],
    );
    let expected = [
        (
            "Set-Cookie".to_owned(),
            vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        ),
        ("set-cookie".to_owned(), vec!["d".to_owned()]),
    ];
    assert_eq!(http(&before[0]).headers, expected);
}

#[test]
fn http_response_without_length_comes_at_the_close_rule_120() {
    let (before, after) = run("HTTP", &[b"HTTP/1.0 200 OK\r\n\r\n", b"all", b" of it"]);
    assert!(before.is_empty());
    assert_eq!(text(&http(&after[0]).data), "all of it");
}

#[test]
fn http_chunks_wait_for_the_last_line_end_rule_121() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
    let body = b"5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n";
    assert_eq!(run("HTTP", &[head, body]), (vec![], vec![]));
    let (before, _) = run("HTTP", &[head, body, b"\r\n"]);
    assert_eq!(text(&http(&before[0]).data), "hello world");
}

#[test]
fn http_request_rule_122() {
    let (before, _) = run("HTTP", &[b"get /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n"]);
    let message = http(&before[0]);
    assert_eq!(message.verb.as_deref(), Some("get"));
    assert_eq!(message.url.as_deref(), Some("/a?x=1"));
    assert_eq!(message.headers, [("Host".to_owned(), vec!["h".to_owned()])]);
    assert_eq!((&message.data, &message.status), (&None, &None));
}

#[test]
fn http_empty_header_value_rule_124() {
    let (before, _) = run("HTTP", &[b"HTTP/1.1 204 OK\r\nX-A:\r\n\r\n"]);
    assert_eq!(
        http(&before[0]).headers,
        [("X-A".to_owned(), vec![String::new()])]
    );
}

#[test]
fn http_continue_and_the_final_response_are_two_messages() {
    let reads: &[&[u8]] =
        &[b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"];
    let (before, _) = run("HTTP", reads);
    let statuses: Vec<_> = before.iter().map(|m| http(m).status.as_deref()).collect();
    assert_eq!(statuses, [Some("100"), Some("200")]);
}

#[test]
fn http_pipelined_requests_are_separate_messages() {
    let reads: &[&[u8]] =
        &[b"POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n\r\n"];
    let (before, _) = run("HTTP", reads);
    assert_eq!(text(&http(&before[0]).data), "ab");
    assert_eq!(http(&before[1]).url.as_deref(), Some("/2"));
}

#[test]
fn http_answer_to_head_has_no_body_whatever_its_length_says() {
    let mut codec = Codec::new("HTTP", BOUND);
    for verb in ["HEAD", "GET"] {
        let request = HttpOutbound {
            verb: Some(verb.to_owned()),
            ..Default::default()
        };
        codec
            .encode(&Outbound::Http(request), &Credentials::default())
            .unwrap();
    }
    let mut out = Decoded::default();
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    codec.feed(head, &mut out).unwrap();
    assert_eq!(http(&out.messages[0]).data, None);
    codec.feed(head, &mut out).unwrap();
    codec.feed(b"hi", &mut out).unwrap();
    assert_eq!(text(&http(&out.messages[1]).data), "hi");
}

#[test]
fn http_incomplete_messages_at_the_close() {
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart";
    assert_eq!(text(&http(&run("HTTP", &[short]).1[0]).data), "part");
    let request = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\npart";
    assert!(run("HTTP", &[request]).1.is_empty());
    assert!(run("HTTP", &[b"HTTP/1.1 200 O"]).1.is_empty());
}

#[test]
fn http_that_is_none_is_malformed() {
    let wrong: [&[u8]; 6] = [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ];
    for bytes in wrong {
        let error = feed_error("HTTP", BOUND, bytes);
        assert!(matches!(error, CodecError::Malformed(_)), "{error}");
    }
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

fn encode(message: HttpOutbound, user: &str, password: &str) -> String {
    let credentials = Credentials {
        username: user.to_owned(),
        password: password.to_owned(),
    };
    let bytes = Codec::new("HTTP", BOUND).encode(&Outbound::Http(message), &credentials);
    String::from_utf8(bytes.unwrap()).unwrap()
}

fn header(name: &str, values: &[&str]) -> Header {
    Header {
        name: name.to_owned(),
        values: values
            .iter()
            .map(|value| value.as_bytes().to_vec())
            .collect(),
    }
}

fn request(verb: &str, data: Option<&str>) -> HttpOutbound {
    HttpOutbound {
        verb: Some(verb.to_owned()),
        data: data.map(|data| data.as_bytes().to_vec()),
        ..Default::default()
    }
}

#[test]
fn http_request_is_written_as_in_rule_125() {
    let message = HttpOutbound {
        url: Some("/x".to_owned()),
        ..request("get", None)
    };
    assert_eq!(
        encode(message, "", ""),
        "GET /x HTTP/1.1\r\nUser-Agent: Domoticz/1.0\r\n\r\n"
    );
}

#[test]
fn http_credentials_come_first_unless_the_plugin_gave_some_rule_126() {
    let written = encode(request("GET", None), "u", "p");
    assert_eq!(
        written,
        "GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\nUser-Agent: Domoticz/1.0\r\n\r\n"
    );
    let own = HttpOutbound {
        headers: vec![
            header("Authorization", &["Bearer t"]),
            header("User-Agent", &["me"]),
        ],
        ..request("GET", None)
    };
    let expected = "GET / HTTP/1.1\r\nAuthorization: Bearer t\r\nUser-Agent: me\r\n\r\n";
    assert_eq!(encode(own, "u", "p"), expected);
}

#[test]
fn http_length_comes_with_data_only_and_counts_bytes_rule_127() {
    assert!(encode(request("POST", Some("é")), "", "").ends_with("Content-Length: 2\r\n\r\né"));
    assert!(encode(request("POST", Some("")), "", "").ends_with("Content-Length: 0\r\n\r\n"));
    assert!(!encode(request("POST", None), "", "").contains("Content-Length"));
}

#[test]
fn http_header_has_a_line_per_value_rule_128() {
    let message = HttpOutbound {
        headers: vec![header("X", &["a", "b"]), header("Y", &[])],
        ..request("GET", None)
    };
    assert!(encode(message, "", "").ends_with("1.0\r\nX: a\r\nX: b\r\n\r\n"));
}

#[test]
fn http_refuses_what_is_no_dictionary_rule_129() {
    let mut codec = Codec::new("HTTP", BOUND);
    let none = Credentials::default();
    assert!(
        codec
            .encode(&Outbound::Bytes(b"x".to_vec()), &none)
            .is_err()
    );
    assert!(
        codec
            .encode(&Outbound::Http(HttpOutbound::default()), &none)
            .is_err()
    );
    let dictionary = Outbound::Http(request("GET", None));
    assert!(
        Codec::new("Line", BOUND)
            .encode(&dictionary, &none)
            .is_err()
    );
}

#[test]
fn http_response_has_date_and_server_rule_130() {
    let message = HttpOutbound {
        status: Some("200 OK".to_owned()),
        data: Some(b"hi".to_vec()),
        ..Default::default()
    };
    let written = encode(message, "u", "p");
    let lines: Vec<_> = written.split("\r\n").collect();
    assert_eq!(lines[0], "HTTP/1.1 200 OK");
    // Sat, 21 Nov 2026 02:03:16 GMT
    assert!(
        lines[1].starts_with("Date: ") && lines[1].len() == 35,
        "{}",
        lines[1]
    );
    assert!(lines[1].ends_with(" GMT"));
    assert_eq!(
        lines[2..],
        ["Server: Domoticz/1.0", "Content-Length: 2", "", "hi"]
    );
}

#[test]
fn http_chunks_are_written_as_in_rule_131() {
    let chunk = |data: Option<&str>| HttpOutbound {
        data: data.map(|data| data.as_bytes().to_vec()),
        chunk: true,
        ..Default::default()
    };
    assert_eq!(encode(chunk(Some("abc")), "", ""), "3\r\nabc\r\n");
    assert_eq!(encode(chunk(None), "", ""), "0\r\n\r\n");
    let first = HttpOutbound {
        chunk: true,
        ..request("POST", Some("0123456789"))
    };
    let written = encode(first, "", "");
    assert!(written.ends_with("Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"));
    assert!(!written.contains("Content-Length"));
}

#[test]
fn http_line_ends_in_parts_of_the_head_make_no_new_lines() {
    let message = HttpOutbound {
        url: Some("/ HTTP/1.1\r\nEvil: 1".to_owned()),
        headers: vec![header("A\r\nEvil", &["b\r\n\r\nEvil: 2"])],
        ..request("GET\n", None)
    };
    let written = encode(message, "", "");
    assert_eq!(written.matches("\r\n").count(), 4, "{written:?}");
    assert_eq!(written.matches('\n').count(), 4, "{written:?}");
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
const HTTP: &[&str] = &[
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nT: v\r\n\r\n",
    "GET / HTTP/1.1\r\nA: b\r\n\r\n",
    "\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 4\r\nX:\r\n\r\nbody",
    "HTTP/1.1 204 x\n\n",
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
    fn http_is_the_same_however_it_is_cut(all in pieces_of(HTTP), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("HTTP", &all, &cuts), in_pieces("HTTP", &all, &[]));
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

    #[test]
    fn what_is_written_as_chunks_is_read_back(parts in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 1..50), 0..6)) {
        let mut codec = Codec::new("HTTP", BOUND);
        let none = Credentials::default();
        let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for part in parts.iter().cloned().map(Some).chain([None]) {
            let chunk = HttpOutbound { data: part, chunk: true, ..Default::default() };
            wire.extend(codec.encode(&Outbound::Http(chunk), &none).unwrap());
        }
        let mut out = Decoded::default();
        codec.feed(&wire, &mut out).unwrap();
        let data = http(&out.messages[0]).data.clone().unwrap_or_default();
        prop_assert_eq!(data, parts.concat());
    }
}
