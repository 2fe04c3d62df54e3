//! What strangers may send: nothing of it is more than an error with a body.

use axum::http::Uri;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// A request as somebody may make it who means no good.
#[derive(Debug, Clone)]
struct Odd {
    method: &'static str,
    path: String,
    kind: String,
    body: Vec<u8>,
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let nested = (
        1usize..3000,
        prop::sample::select(vec!["[", "{\"a\":", "[{\"x\":["]),
    )
        .prop_map(|(depth, open)| open.repeat(depth).into_bytes());
    let message = (
        prop::sample::select(vec![
            "indigo.device.turnOn",
            "indigo.variable.updateValue",
            "plugin.executeAction",
            "plugin.restart",
            "indigo.server.log",
            "refresh",
            "variable.create",
        ]),
        "[a-zA-Z0-9\"{}\\[\\],:.-]{0,40}",
    )
        .prop_map(|(name, rest)| {
            format!("{{\"message\": \"{name}\", \"command\": \"{name}\", \"objectId\": {rest}}}")
                .into_bytes()
        });
    let long = (1usize..40_000).prop_map(|length| {
        let text = "y".repeat(length);
        format!("{{\"message\": \"{text}\", \"id\": \"{text}\"}}").into_bytes()
    });
    prop_oneof![
        prop::collection::vec(0u8.., 0..400),
        "[ -~]{0,200}".prop_map(String::into_bytes),
        nested,
        message,
        long,
        Just(
            json!({"message": 5, "objectId": {}, "parameters": [], "id": []})
                .to_string()
                .into()
        ),
        Just(
            json!({"kind": "device", "pluginId": ID, "typeId": "r", "objectId": -1})
                .to_string()
                .into()
        ),
    ]
}

fn requests() -> impl Strategy<Value = Odd> {
    let known = prop::sample::select(vec![
        "/v2/api/command",
        "/v2/api/indigo.devices",
        "/v2/api/indigo.devices/1",
        "/v2/api/ws/device-feed",
        "/message/com.example.fixture/api",
        "/message/com.example.fixture/api/",
        "/message/com.example.fixture/bad/x",
        "/message/x/y",
        "/webhook/j",
        "/cordon/indigo/command",
        "/cordon/indigo/dialogs",
        "/cordon/indigo/dialogs/x/save",
        "/cordon/indigo/plugins",
        "/com.example.fixture/images/a.png",
        "/com.example.fixture/public/p.txt",
    ]);
    let ends = prop_oneof![
        Just(String::new()),
        "[!$-~]{0,60}".prop_map(|text| format!("/{}", text.replace('#', ""))),
        "[!$-~]{0,200}".prop_map(|text| format!("?{}", text.replace('#', ""))),
        prop::collection::vec("(%[0-9A-Fa-fx]{2}|[.]{2}|a)", 0..40)
            .prop_map(|parts| format!("/{}", parts.join("/"))),
        (1usize..20_000).prop_map(|length| format!("?{}", "a&".repeat(length))),
    ];
    let kinds = prop::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "APPLICATION/X-WWW-FORM-URLENCODED; charset=x",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        ";;;",
        "",
    ]);
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "X"]);
    (methods, known, ends, kinds, bodies()).prop_map(|(method, start, end, kind, body)| Odd {
        method,
        path: format!("{start}{end}"),
        kind: kind.to_owned(),
        body,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_sent_is_more_than_an_error_with_a_body() {
    let site = site(|name, _| match name {
        "plugin.api" => returned(json!("{}")),
        "plugin.bad" => Some(Answer::Raised(
            json!({"type": "ValueError", "message": "bad"}),
        )),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let trigger = json!({"command": "pluginEvent.create", "arguments": {"name": "hook",
        "pluginId": "com.indigodomo.webserver", "pluginTypeId": "simpleWebhook",
        "props": {"webhookId": "j"}}});
    assert_eq!(
        site.post("/cordon/indigo/command", &trigger).await.status,
        200
    );
    // The same cases each time: a failure can be looked at.
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let odd = requests().new_tree(&mut runner).unwrap().current();
        for key in [KEY, "wrong-key-wrong-key"] {
            let bearer = format!("Bearer {key}");
            let headers = [
                ("Authorization", bearer.as_str()),
                ("Content-Type", &odd.kind),
            ];
            let got = site.send(odd.method, &odd.path, &headers, &odd.body).await;
            let shown = format!("{} {} {}: {got:?}", odd.method, odd.path, odd.kind);
            // A page whose method raises is the one thing that is an internal error.
            let raised = odd.path.contains("/bad/");
            assert!(got.status < 500 || raised || got.status == 501, "{shown}");
            // What is no HTTP is not for this API to answer.
            let is_http = odd.path.parse::<Uri>().is_ok();
            if got.status >= 400 && odd.method != "HEAD" && is_http {
                assert!(!got.body.is_empty(), "{shown}");
            }
            let open = odd.path.contains("/public/");
            if key != KEY && !open {
                assert!(got.status >= 400, "{shown}");
            }
        }
    }
    // The hub is as it was.
    assert_eq!(site.get("/v2/api/indigo.devices").await.status, 200);
    assert_eq!(site.get("/v2/api/indigo.devices").await.body, "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_feed_is_sent_ends_it() {
    let site = site(nothing).await;
    let mut feed = site.feed("variable-feed").await.unwrap();
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let mut body = bodies().new_tree(&mut runner).unwrap().current();
        body.truncate(socket::MAX_MESSAGE / 4);
        feed.send(&String::from_utf8_lossy(&body)).await;
        let answer = feed.next().await.unwrap();
        assert!(
            answer["error"].is_string() || answer["message"] == "refresh",
            "{answer}"
        );
    }
    feed.send(&json!({"message": "refresh", "id": "still here"}).to_string())
        .await;
    assert_eq!(feed.next().await.unwrap()["id"], "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_are_refused_with_a_body_and_only_to_those_with_a_key() {
    let site = site(nothing).await;
    let body = vec![b'['; MAX_BODY + 1];
    let bearer = format!("Bearer {KEY}");
    for path in ["/v2/api/command", "/webhook/j", "/cordon/indigo/dialogs"] {
        let got = site.send("POST", path, &[], &body).await;
        assert_eq!(got.status, 401, "{path}");
    }
    for path in [
        "/v2/api/command",
        "/cordon/indigo/command",
        "/cordon/indigo/dialogs",
    ] {
        let got = site
            .send("POST", path, &[("Authorization", &bearer)], &body)
            .await;
        assert_eq!(
            (got.status, got.error().as_str()),
            (413, "invalid_request"),
            "{path}"
        );
    }
}
