//! Tests of plugins' pages, and of the files of their bundles.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_action_with_all_its_parts() {
    let site = site(|_, _| returned(json!("{\"a\": 1}"))).await;
    let bearer = format!("Bearer {KEY}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("X-Own", "v"),
        ("X-Own", "w"),
    ];
    let path = format!("/message/{ID}/api/path/to/some%20file.txt?a=1&b=x+y&b=z&api-key=other");
    let got = site.send("GET", &path, &headers, b"").await;
    assert_eq!((got.status, got.body.as_str()), (200, "{\"a\": 1}"));
    assert!(got.head.contains("content-type: application/json"));
    let (name, arguments) = site.fixture.calls().remove(0);
    assert_eq!(name, "plugin.api");
    assert_eq!(arguments["kind"], "http");
    assert_eq!(arguments["args"][1], Value::Null);
    assert_eq!(arguments["args"][2], true);
    let action = &arguments["args"][0];
    assert_eq!(action["class"], "indigo.PluginAction");
    assert_eq!(
        (&action["pluginId"], &action["pluginTypeId"]),
        (&json!(ID), &json!("api"))
    );
    assert_eq!(action["description"], "An API");
    let props = &action["props"];
    assert_eq!(props["incoming_request_method"], "GET");
    assert_eq!(props["file_path"], json!(["path", "to", "some file.txt"]));
    assert_eq!(
        props["url_query_args"],
        json!({"a": "1", "b": ["x y", "z"]})
    );
    assert_eq!(props["headers"]["x-own"], "v, w");
    // The key is kept from the plugin.
    assert!(props["headers"].get("authorization").is_none());
    assert!(!props.to_string().contains("api-key"));
    assert!(props.get("body_params").is_none() && props.get("request_body").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_bodies_are_told_apart() {
    let site = site(|_, _| returned(json!(""))).await;
    let path = format!("/message/{ID}/api?api-key={KEY}");
    let form = (
        "Content-Type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    site.send("POST", &path, &[form], b"a=1&b=%C3%A4&b=2").await;
    let text = ("Content-Type", "application/json");
    site.send("POST", &path, &[text], b"{\"x\": 1}").await;
    site.send("POST", &path, &[text], b"").await;
    let refused = site.send("POST", &path, &[text], b"\xff").await;
    assert_eq!(refused.status, 400);
    let calls = site.fixture.calls();
    let props = |index: usize| calls[index].1["args"][0]["props"].clone();
    assert_eq!(
        props(0)["body_params"],
        json!({"a": "1", "b": ["\u{e4}", "2"]})
    );
    assert_eq!(props(0)["request_body"], "a=1&b=%C3%A4&b=2");
    assert_eq!(props(0)["file_path"], json!([]));
    assert_eq!(props(1)["request_body"], "{\"x\": 1}");
    assert_eq!(props(1)["incoming_request_method"], "POST");
    assert!(props(1).get("body_params").is_none());
    assert!(props(2).get("request_body").is_none() && props(2).get("url_query_args").is_none());
    assert_eq!(calls.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_reply() {
    let cases = [
        (json!("text"), 200, "text", "content-type: application/json"),
        (
            json!({"content": {"cordon-bytes": "AP8="}, "headers": {"Content-Type": "image/png"}}),
            200,
            "\0\u{fffd}",
            "content-length: 2",
        ),
        (json!({"cordon-bytes": "QQ=="}), 200, "A", "200 ok"),
        (
            json!({"cordon-bytes": "%"}),
            200,
            "{\"cordon-bytes\":\"%\"}",
            "200 ok",
        ),
        (
            json!({"content": "<b>x</b>", "headers": {"Content-Type": "text/html", "X-A": "1"}}),
            200,
            "<b>x</b>",
            "content-type: text/html",
        ),
        (
            json!({"status": 404, "content": "my page"}),
            404,
            "my page",
            "content-type: application/json",
        ),
        (json!({"status": "503"}), 503, "", "content-length: 0"),
        (
            json!({"status": 302, "headers": {"Location": format!("/message/{ID}/x?a=1")}}),
            302,
            "",
            "location: /message/com.example.fixture/x?a=1",
        ),
        (json!({"content": {"a": [1]}}), 200, "{\"a\":[1]}", "200 ok"),
        (json!({"own": 1}), 200, "{\"own\":1}", "200 ok"),
        (json!([1, 2]), 200, "[1,2]", "200 ok"),
        (Value::Null, 200, "", "200 ok"),
    ];
    for (value, status, body, head) in cases {
        let answer = value.clone();
        let site = site(move |_, _| returned(answer.clone())).await;
        let got = site.page().await;
        assert_eq!((got.status, got.body.as_str()), (status, body), "{value}");
        assert!(got.head.contains(head), "{value}: {}", got.head);
        assert!(
            got.head.contains("content-security-policy: sandbox"),
            "{}",
            got.head
        );
        assert!(got.head.contains("x-content-type-options: nosniff"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_cannot_be_sent_are_errors() {
    for value in [
        json!({"status": 9999}),
        json!({"status": 100}),
        json!({"status": "x"}),
        json!({"status": 310}),
        json!({"headers": {"a\nb": "c"}}),
        json!({"headers": {"a": "b\r\nc: d"}}),
        json!({"headers": []}),
        json!({"status": 302, "headers": {"Location": "/json.htm?type=command&param=x"}}),
        json!({"status": 307, "headers": {"location": "https://evil.example/"}}),
        json!({"file_path": 5}),
        json!({"file_path": "/etc/passwd"}),
        json!({"file_path": "/plugin/../../etc/passwd"}),
        json!({"file_path": "../../../../../../../etc/passwd"}),
        json!({"file_path": "/plugin/Contents/none"}),
        json!({"file_path": "/plugin"}),
        json!({"file_path": "/pluginx/a"}),
        json!({"file_path": ""}),
        json!({"file_path": "/proc/self/environ", "status": 310}),
    ] {
        let answer = value.clone();
        let site = site(move |_, _| returned(answer.clone())).await;
        let got = site.page().await;
        assert_eq!(got.status, 500, "{value}");
        assert_eq!(got.error(), "unknown_error", "{value}");
    }
    // Headers about the connection are left out.
    let site = site(|_, _| returned(json!({"content": "x", "headers": {"Content-Length": "99", "Transfer-Encoding": "chunked"}}))).await;
    assert_eq!(site.page().await.body, "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_streamed_from_the_plugins_own_folders() {
    for (path, status, expected, kind) in [
        (
            "/plugin/Contents/Resources/templates/t.html",
            310,
            "template",
            "text/html; charset=utf-8",
        ),
        ("../Resources/static/css/a.css", 200, "css", "text/css"),
        ("own.py", 404, "secret = 1", "text/"),
        ("/data/made.bin", 310, "made", "application/octet-stream"),
    ] {
        let answer = json!({"status": status, "file_path": path});
        let site = site(move |_, _| returned(answer.clone())).await;
        std::fs::write(site.fixture.plugin.data.join("made.bin"), "made").unwrap();
        let got = site.page().await;
        let status = if status == 310 { 200 } else { status };
        assert_eq!(
            (got.status, got.body.as_str()),
            (status, expected),
            "{path}"
        );
        assert!(
            got.head.contains(&format!("content-type: {kind}")),
            "{}",
            got.head
        );
        assert!(
            got.head
                .contains(&format!("content-length: {}", expected.len()))
        );
    }
    // A large one comes whole.
    let site = site(|_, _| {
        returned(json!({"file_path": "/data/large", "headers": {"Content-Type": "x/y"}}))
    })
    .await;
    let large = "0123456789".repeat(100_000);
    std::fs::write(site.fixture.plugin.data.join("large"), &large).unwrap();
    let got = site.page().await;
    assert!(got.body == large && got.head.contains("content-type: x/y"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_of_the_reference() {
    let site = site(|name, _| match name {
        "plugin.bad" => Some(Answer::Raised(
            json!({"type": "ValueError", "message": "no", "traceback": "Traceback: x"}),
        )),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let bearer = format!("Bearer {KEY}");
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let path = format!("/message/{ID}/api/");
        let got = site
            .send(method, &path, &[("Authorization", &bearer)], b"")
            .await;
        assert_eq!(got.status, 405, "{method}");
        assert!(got.head.contains("allow: get, post"));
        assert_eq!(got.error(), "method_not_allowed");
    }
    for (path, status, word) in [
        ("/message/com.none/api/".to_owned(), 501, "invalid_plugin"),
        (format!("/message/{ID}/none/"), 501, "invalid_action"),
        (format!("/message/{ID}/text/"), 501, "invalid_action"),
        (format!("/message/{ID}/gone"), 501, "invalid_action"),
    ] {
        let got = site.get(&path).await;
        assert_eq!((got.status, got.error().as_str()), (status, word), "{path}");
        assert!(!got.json()["description"].as_str().unwrap().is_empty());
    }
    let got = site.get(&format!("/message/{ID}/bad")).await;
    assert_eq!((got.status, got.error().as_str()), (500, "unknown_error"));
    assert_eq!(got.json()["exception"], "Traceback: x");
    assert_eq!(got.json()["description"], "`bad` raised ValueError: no");
    let stopped = Fixture::with(&FILES, false, nothing).await;
    let site = serve(stopped, &config()).await;
    let got = site.page().await;
    assert_eq!((got.status, got.error().as_str()), (503, "plugin_disabled"));
    assert!(!got.head.contains("retry-after"), "{}", got.head);
    // While it is being started, a client is told to come again.
    for word in ["starting", "restarting"] {
        *site.fixture.word.lock().unwrap() = word;
        let got = site.page().await;
        assert_eq!((got.status, got.error().as_str()), (503, "plugin_starting"));
        assert!(got.head.contains("retry-after: 1"), "{}", got.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_never_answers_holds_few_places_and_is_cut() {
    let fixture = Fixture::new(&FILES, |_, _| None).await;
    let site = serve_within(fixture, &config(), Duration::from_secs(3)).await;
    assert_eq!(message::DEADLINE, Duration::from_secs(20));
    let begun = std::time::Instant::now();
    let first = site.page();
    let others = async {
        let called = async |count: usize| {
            while site.fixture.calls.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let own = futures_util::future::join_all((1..message::MAX_EACH).map(|_| site.page()));
        let path = format!("/message/{ID}/api?api-key={PAGES_KEY}");
        let of_other = async || {
            // Once all places of the first user are taken.
            called(message::MAX_EACH).await;
            site.send("GET", &path, &[], b"").await
        };
        let rest = (message::MAX_EACH..message::MAX_WAITING).map(|_| of_other());
        let rest = futures_util::future::join_all(rest);
        // One more than a user may have, and one more than there are.
        let late = async {
            called(message::MAX_EACH).await;
            let of_user = site.page().await;
            called(message::MAX_WAITING).await;
            let late = site.send("GET", &path, &[], b"").await;
            assert_eq!(of_user.status, 503);
            late
        };
        let (_, _, late) = tokio::join!(own, rest, late);
        late
    };
    let (cut, late) = tokio::join!(first, others);
    assert_eq!((late.status, late.error().as_str()), (503, "unknown_error"));
    assert_eq!((cut.status, cut.error().as_str()), (504, "unknown_error"));
    assert!(
        cut.json()["description"]
            .as_str()
            .unwrap()
            .contains("within 3 s")
    );
    assert!(begun.elapsed() >= Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_queries_are_bounded() {
    let site = site(|_, _| returned(json!("ok"))).await;
    let path = format!("/message/{ID}/api?api-key={KEY}");
    let large = vec![b'x'; MAX_BODY + 1];
    let got = site
        .send("POST", &path, &[("Content-Type", "text/plain")], &large)
        .await;
    assert_eq!(got.status, 413);
    let most = vec![b'x'; MAX_BODY];
    let got = site
        .send("POST", &path, &[("Content-Type", "text/plain")], &most)
        .await;
    assert_eq!(got.status, 200);
    let long = format!("/message/{ID}/api?x={}", "y".repeat(parts::MAX_QUERY));
    assert_eq!(site.get(&long).await.status, 400);
    assert_eq!(site.fixture.names(), ["plugin.api"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_served_from_their_folders_only() {
    let site = site(nothing).await;
    let resources = site.fixture.plugin.bundle.resources.clone().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", resources.join("public/link")).unwrap();
    let image = site.get(&format!("/{ID}/images/a.png")).await;
    assert_eq!((image.status, image.body.as_str()), (200, "png"));
    assert!(image.head.contains("content-type: image/png"));
    let css = site.get(&format!("/{ID}/static/css/a.css")).await;
    assert_eq!(css.body, "css");
    let bearer = format!("Bearer {KEY}");
    let head = site
        .send("HEAD", &format!("/{ID}/public/p.txt"), &[], b"")
        .await;
    assert!(head.status == 200 && head.body.is_empty() && head.head.contains("content-length: 6"));
    let post = site
        .send("POST", &format!("/{ID}/public/p.txt"), &[], b"")
        .await;
    assert_eq!(post.status, 405);
    for path in [
        format!("/{ID}/templates/t.html"),
        format!("/{ID}/public/link"),
        format!("/{ID}/public/../templates/t.html"),
        format!("/{ID}/public/..%2Ftemplates%2Ft.html"),
        format!("/{ID}/public/%2Fetc%2Fpasswd"),
        format!("/{ID}/public/none"),
        format!("/{ID}/static/css"),
        "/com.none/public/p.txt".to_owned(),
    ] {
        let got = site
            .send("GET", &path, &[("Authorization", &bearer)], b"")
            .await;
        assert!(matches!(got.status, 404), "{path}: {}", got.status);
    }
}

/// A client that does not read its answer holds memory of the plugin.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_paid_for_until_it_was_sent() {
    // Far more than the system keeps for a connection.
    let site = site(|_, _| returned(json!("x".repeat(24 << 20)))).await;
    let account = site.fixture.plugin.account.clone();
    let address = site.address;
    let request = format!(
        "GET /message/{ID}/api/ HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    );
    let connect = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = [0; 64];
        stream.read_exact(&mut head).unwrap();
        stream
    };
    let stream = tokio::task::spawn_blocking(connect).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(account.used() >= 24 << 20, "{}", account.used());
    drop(stream);
    let begun = std::time::Instant::now();
    while account.used() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it is kept");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_written_at_the_plugins_cost() {
    let site = site(|_, _| returned(json!({"content": vec![0; 20_000]}))).await;
    let account = site.fixture.plugin.account.clone();
    let got = site.page().await;
    assert_eq!(got.status, 200);
    assert_eq!(got.body.len(), 40_001);
    assert!(account.billed() > Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_at_the_cost_of_their_plugin() {
    let site = site(|_, _| returned(json!({"status": 310, "file_path": "own.py"}))).await;
    let account = site.fixture.plugin.account.clone();
    for (path, expected) in [
        (format!("/{ID}/images/a.png"), "png"),
        (format!("/message/{ID}/api/"), "secret = 1"),
    ] {
        let before = account.billed();
        assert_eq!(site.get(&path).await.body, expected);
        assert!(account.billed() > before, "{path}");
    }
}
