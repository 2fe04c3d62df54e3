//! Sections 7.5 and 7.6: HTTP.

use proptest::prelude::*;

use super::*;

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
fn http_headers_may_lack_a_blank_and_lines_a_colon_rule_200() {
    let mut codec = Codec::new("HTTP", BOUND);
    let mut out = Decoded::default();
    codec
        .feed(
            b"HTTP/1.1 204 OK\r\nX:abc\r\nnonsense\r\nY: z\r\n",
            &mut out,
        )
        .unwrap();
    assert!(out.messages.is_empty() && out.problems.is_empty());
    codec.feed(b"\r\n", &mut out).unwrap();
    let expected = [("X", "abc"), ("Y", "z")].map(|(k, v)| (k.to_owned(), vec![v.to_owned()]));
    assert_eq!(http(&out.messages[0]).headers, expected);
    assert!(
        out.problems[0].contains("without a colon"),
        "{:?}",
        out.problems
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
            .encode(&Outbound::Http(request), &Credentials::default(), PRODUCT)
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
fn http_incomplete_messages_are_dropped_at_the_close_rule_201() {
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart";
    assert!(run("HTTP", &[short]).1.is_empty());
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

fn encode(message: HttpOutbound, user: &str, password: &str) -> String {
    let credentials = Credentials {
        username: user.to_owned(),
        password: password.to_owned(),
    };
    let bytes = Codec::new("HTTP", BOUND).encode(&Outbound::Http(message), &credentials, PRODUCT);
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
        "GET /x HTTP/1.1\r\nUser-Agent: Product/1.0\r\n\r\n"
    );
}

#[test]
fn http_credentials_come_first_unless_the_plugin_gave_some_rule_126() {
    let written = encode(request("GET", None), "u", "p");
    assert_eq!(
        written,
        "GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\nUser-Agent: Product/1.0\r\n\r\n"
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
            .encode(&Outbound::Bytes(b"x".to_vec()), &none, PRODUCT)
            .is_err()
    );
    assert!(
        codec
            .encode(&Outbound::Http(HttpOutbound::default()), &none, PRODUCT)
            .is_err()
    );
    let dictionary = Outbound::Http(request("GET", None));
    assert!(
        Codec::new("Line", BOUND)
            .encode(&dictionary, &none, PRODUCT)
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
        ["Server: Product/1.0", "Content-Length: 2", "", "hi"]
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
    fn http_is_the_same_however_it_is_cut(all in pieces_of(HTTP), cuts in any::<[usize; 6]>()) {
        prop_assert_eq!(in_pieces("HTTP", &all, &cuts), in_pieces("HTTP", &all, &[]));
    }

    #[test]
    fn what_is_written_as_chunks_is_read_back(parts in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 1..50), 0..6)) {
        let mut codec = Codec::new("HTTP", BOUND);
        let none = Credentials::default();
        let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for part in parts.iter().cloned().map(Some).chain([None]) {
            let chunk = HttpOutbound { data: part, chunk: true, ..Default::default() };
            wire.extend(codec.encode(&Outbound::Http(chunk), &none, PRODUCT).unwrap());
        }
        let mut out = Decoded::default();
        codec.feed(&wire, &mut out).unwrap();
        let data = http(&out.messages[0]).data.clone().unwrap_or_default();
        prop_assert_eq!(data, parts.concat());
    }
}
