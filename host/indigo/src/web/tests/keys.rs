//! Tests of API keys: the addresses that they open, and those that nothing opens.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn keys_open_what_they_are_for_and_nothing_is_open_without() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let message = format!("/message/{ID}/api");
    let image = format!("/{ID}/images/a.png");
    let all = [
        message.as_str(),
        &image,
        "/v2/api/indigo.devices",
        "/cordon/indigo/plugins",
        "/v2/api/command",
        "/v2/api/ws/device-feed",
        "/cordon/indigo/dialogs",
        "/cordon/indigo/dialogs/x",
        "/cordon/indigo/dialogs/x/save",
    ];
    for path in all {
        let got = site.send("GET", path, &[], b"").await;
        assert_eq!(got.status, 401, "{path}");
        assert_eq!(got.error(), "unauthorized");
        assert!(
            got.head.contains("www-authenticate: bearer"),
            "{}",
            got.head
        );
        let got = site
            .send(
                "GET",
                path,
                &[("Authorization", "Bearer wrong-key-wrong-key")],
                b"",
            )
            .await;
        assert_eq!(got.status, 401, "{path}");
    }
    for (key, path, status) in [
        (PAGES_KEY, message.as_str(), 200),
        (PAGES_KEY, &image, 200),
        (PAGES_KEY, "/v2/api/indigo.devices", 401),
        (PAGES_KEY, "/cordon/indigo/plugins", 401),
        (OTHER_KEY, &message, 401),
        (OTHER_KEY, &image, 401),
        (KEY, &message, 200),
        (KEY, "/v2/api/indigo.devices", 200),
        (KEY, "/cordon/indigo/plugins", 200),
    ] {
        let got = site
            .send("GET", &format!("{path}?api-key={key}"), &[], b"")
            .await;
        assert_eq!(got.status, status, "{key} {path}");
    }
    let open = site
        .send("GET", &format!("/{ID}/public/p.txt"), &[], b"")
        .await;
    assert_eq!((open.status, open.body.as_str()), (200, "public"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_authentication_other_sites_stay_out() {
    let config = IndigoApiConfig {
        authentication: false,
        ..IndigoApiConfig::default()
    };
    let fixture = Fixture::new(&FILES, |_, _| returned(json!("{}"))).await;
    let site = serve(fixture, &config).await;
    let path = "/v2/api/indigo.devices";
    assert_eq!(site.send("GET", path, &[], b"").await.status, 200);
    for header in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        assert_eq!(
            site.send("GET", path, &[header], b"").await.status,
            403,
            "{header:?}"
        );
    }
    // A page that the browser keeps apart gets its pictures and styles. A request for another host
    // name gets none.
    let image = format!("/{ID}/images/a.png");
    let apart = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(site.send("GET", &image, &apart, b"").await.status, 200);
    let renamed = [("Host", "evil.example")];
    assert_eq!(site.send("GET", &image, &renamed, b"").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_authentication_those_are_let_in_who_need_no_password() {
    let config = IndigoApiConfig {
        authentication: false,
        ..config()
    };
    let fixture = Fixture::new(&FILES, |_, _| returned(json!("{}"))).await;
    let users = format!("names = ['hub.example.org']\n{USERS}");
    let site = serve_with(fixture, &config, &users).await;
    let message = format!("/message/{ID}/api");
    let image = format!("/{ID}/images/a.png");
    let doors = [
        message.as_str(),
        &image,
        "/v2/api/indigo.devices",
        "/cordon/indigo/plugins",
        "/cordon/indigo/dialogs",
        "/v2/api/ws/device-feed",
        "/v2/api/ws/log-feed",
        "/webhook/x",
    ];
    for door in doors {
        let here = site.send("GET", door, &[], b"").await;
        assert!(![401, 403].contains(&here.status), "{door} {here:?}");
        for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
            let passed_on = [("Host", "hub.example.org"), (name, "203.0.113.9")];
            let got = site.send("GET", door, &passed_on, b"").await;
            assert_eq!(got.status, 401, "{door} {name}");
        }
    }
    let command = json!({"message": "indigo.server.log", "messageText": "x"}).to_string();
    let passed_on = [
        ("Host", "hub.example.org"),
        ("X-Forwarded-For", "127.0.0.1"),
    ];
    let path = "/v2/api/command";
    let got = site
        .send("POST", path, &passed_on, command.as_bytes())
        .await;
    assert_eq!(got.status, 401);
    let with_key = [
        passed_on[0],
        passed_on[1],
        ("Authorization", &format!("Bearer {KEY}")),
    ];
    let got = site.send("POST", path, &with_key, command.as_bytes()).await;
    assert_eq!(got.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_lets_nobody_in_is_told_in_the_log_and_never_shown() {
    let site = site(nothing).await;
    let path = "/v2/api/indigo.devices";
    for key in ["a-key-that-nobody-has", OTHER_KEY] {
        let bearer = format!("Bearer {key}");
        let got = site
            .send("GET", path, &[("Authorization", &bearer)], b"")
            .await;
        assert_eq!(got.status, 401);
    }
    let in_address = format!("{path}?api-key=another-key-of-nobody");
    assert_eq!(site.send("GET", &in_address, &[], b"").await.status, 401);
    // Whoever has no key was not refused a login.
    assert_eq!(site.send("GET", path, &[], b"").await.status, 401);
    let lines = site.fixture.server.events().tail(None, 100);
    let lines: Vec<_> = lines.iter().map(|it| it.message()).collect();
    let refused = "Warning: login from 127.0.0.1 refused (API key): ";
    let expected = [
        "there is no such key",
        "the key is for something else",
        "there is no such key",
    ];
    assert_eq!(lines, expected.map(|reason| format!("{refused}{reason}")));
}
