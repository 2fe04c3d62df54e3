//! Users with passwords, with curl as the client.

use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::*;

/// Status, headers and body that curl gets with these arguments.
async fn curl(site: &Site, arguments: &[&str], path: &str) -> Got {
    let mut command = Command::new("curl");
    command.args(["--silent", "--include", "--globoff", "--max-time", "60"]);
    command.args(arguments);
    command.arg(format!("http://{}{path}", site.address));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let text = String::from_utf8(output.await.unwrap().stdout).unwrap();
    // With a challenge in between there are two answers; the last one counts.
    let last = text.rfind("HTTP/1.1 ").unwrap_or_else(|| panic!("{text}"));
    let (head, body) = text[last..].split_once("\r\n\r\n").unwrap();
    Got {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

const ANN: [&str; 2] = ["--user", "ann:a pass:word"];

#[tokio::test(flavor = "multi_thread")]
async fn digest_and_basic_let_users_in() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let id = create(&site, "Lamp").await;
    for way in ["--digest", "--basic", "--anyauth"] {
        let with = [way, ANN[0], ANN[1]];
        let got = curl(&site, &with, "/v2/api/indigo.devices?x=%20,%22").await;
        assert_eq!(got.status, 200, "{way}: {got:?}");
        assert_eq!(got.json()[0]["id"], id);
        // The body of a command is sent again with the answer to the challenge.
        let message = json!({"message": "indigo.device.enable", "objectId": id}).to_string();
        let with = [way, ANN[0], ANN[1], "--data", &message];
        let got = curl(&site, &with, "/v2/api/command").await;
        assert_eq!(
            (got.status, &got.json()["success"]),
            (200, &json!(true)),
            "{way}"
        );
        let page = curl(&site, &[way, ANN[0], ANN[1]], &format!("/message/{ID}/api")).await;
        assert_eq!((page.status, page.body.as_str()), (200, "{}"), "{way}");
    }
    let calls = site.fixture.calls();
    let told = calls.iter().find(|(name, _)| name == "plugin.api").unwrap();
    let headers = &told.1["args"][0]["props"]["headers"];
    assert_eq!(headers["authorization"], Value::Null, "{headers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_asked_for_again_and_slowed_down() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let path = "/v2/api/indigo.devices";
    let got = site.send("GET", path, &[], b"").await;
    assert_eq!(got.status, 401);
    let asked: Vec<_> = got
        .head
        .lines()
        .filter_map(|line| line.strip_prefix("www-authenticate: "))
        .collect();
    let schemes: Vec<_> = asked
        .iter()
        .map(|it| it.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        schemes,
        ["digest", "digest", "basic", "bearer"],
        "{asked:?}"
    );
    assert!(asked[0].contains("algorithm=sha-256") && asked[1].contains("algorithm=md5"));
    for (way, user) in [
        ("--digest", "ann:wrong"),
        ("--basic", "ann:wrong"),
        ("--digest", "nobody:a pass:word"),
        ("--basic", "nobody:"),
        ("--digest", "ann:"),
    ] {
        let got = curl(&site, &[way, "--user", user], path).await;
        assert_eq!(
            (got.status, got.error().as_str()),
            (401, "unauthorized"),
            "{user}"
        );
        assert!(got.head.contains("www-authenticate: digest"), "{user}");
    }
    // Five are enough for a minute; keys are another matter.
    let got = curl(&site, &["--basic", ANN[0], ANN[1]], path).await;
    assert_eq!(
        (got.status, got.error().as_str()),
        (429, "too_many_failures")
    );
    assert!(!got.head.contains("www-authenticate"), "{}", got.head);
    assert_eq!(site.get(path).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_do_what_they_have_the_rights_for() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let command = "{\"message\": \"indigo.server.log\", \"messageText\": \"x\"}";
    let configure = "{\"command\": \"server.getTime\"}";
    let message = format!("/message/{ID}/api");
    let image = format!("/{ID}/images/a.png");
    for (user, allowed) in [("ann:a pass:word", 5), ("bob:bobs", 4), ("eve:eves", 2)] {
        let requests = [
            ("/v2/api/indigo.devices", None),
            (image.as_str(), None),
            ("/v2/api/command", Some(command)),
            (message.as_str(), None),
            ("/cordon/indigo/command", Some(configure)),
        ];
        for (index, (path, body)) in requests.into_iter().enumerate() {
            let mut with = vec!["--digest", "--user", user];
            with.extend(body.into_iter().flat_map(|body| ["--data", body]));
            let got = curl(&site, &with, path).await;
            let expected = if index < allowed { 200 } else { 403 };
            assert_eq!(got.status, expected, "{user} {path}: {got:?}");
        }
    }
    // Who may only look may do so on a feed as well, and nothing else.
    let mut feed = site
        .feed_with("device-feed", "Basic ZXZlOmV2ZXM=")
        .await
        .unwrap();
    feed.send(&json!({"message": "refresh", "id": "1"}).to_string())
        .await;
    assert_eq!(feed.next().await.unwrap()["id"], "1");
    feed.send(command).await;
    let answer = feed.next().await.unwrap();
    assert_eq!(
        answer["error"],
        "whoever is connected here may give no commands"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_a_browser_sends_by_itself_is_kept_from_other_sites() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let message = format!("/message/{ID}/api");
    for (header, path) in [
        ("Origin: https://evil.example", message.as_str()),
        ("Origin: null", "/v2/api/command"),
        ("Sec-Fetch-Site: cross-site", "/v2/api/indigo.devices"),
        ("Host: evil.example", "/v2/api/indigo.devices"),
    ] {
        let with = ["--basic", ANN[0], ANN[1], "--header", header];
        let got = curl(&site, &with, path).await;
        assert_eq!(
            (got.status, got.error().as_str()),
            (403, "forbidden"),
            "{header}"
        );
    }
    // Pictures of a page that the browser keeps apart.
    let with = [
        "--basic",
        ANN[0],
        ANN[1],
        "--header",
        "Sec-Fetch-Site: cross-site",
    ];
    let got = curl(&site, &with, &format!("/{ID}/images/a.png")).await;
    assert_eq!(got.status, 200);
}

/// The answer to a challenge as curl sends it, taken from what curl says of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_overheard_is_worth_nothing() {
    let site = site(|_, _| returned(json!("{}"))).await;
    let path = "/v2/api/indigo.devices";
    let address = format!("http://{}{path}", site.address);
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--verbose",
        "--digest",
        ANN[0],
        ANN[1],
        &address,
    ]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let said = String::from_utf8(output.await.unwrap().stderr).unwrap();
    let heard = said
        .lines()
        .filter_map(|line| line.strip_prefix("> Authorization: "))
        .find(|line| line.contains("response="))
        .unwrap_or_else(|| panic!("{said}"));
    let got = site
        .send("GET", path, &[("Authorization", heard)], b"")
        .await;
    assert_eq!(got.status, 401);
    assert!(got.head.contains("stale=true"), "{}", got.head);
    let other = "/v2/api/indigo.variables";
    let got = site
        .send("GET", other, &[("Authorization", heard)], b"")
        .await;
    assert_eq!(got.status, 401);
    assert!(!got.head.contains("stale=true"), "{}", got.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_into_masked_fields_is_for_admins() {
    let definitions = "<Devices><Device type='relay' id='r'><Name>R</Name><ConfigUI>\
        <Field id='host' type='textfield'/><Field id='pin' type='textfield' secure='true'/>\
        </ConfigUI></Device></Devices>";
    let files = [("Server Plugin/Devices.xml", definitions)];
    let site = serve(Fixture::new(&files, nothing).await, &config()).await;
    let id = create(&site, "Lock").await;
    let owner = crate::Caller::Plugin(site.fixture.plugin.clone());
    let server = site.fixture.server.clone();
    let set = async |pin: &str, host: &str| {
        let props = json!({"host": host, "pin": pin});
        let arguments = json!({"id": id, "props": props});
        let command = "device.replacePluginPropsOnServer";
        server.command(&owner, command, arguments).await.unwrap();
    };
    set("1234", "h").await;
    let path = format!("/v2/api/indigo.devices/{id}");
    for (user, pin) in [
        ("ann:a pass:word", "1234"),
        ("bob:bobs", ""),
        ("eve:eves", ""),
    ] {
        let device = curl(&site, &["--digest", "--user", user], &path)
            .await
            .json();
        let expected = json!({"host": "h", "pin": pin});
        assert_eq!(device["ownerProps"], expected, "{user}");
        assert_eq!(device["pluginProps"], expected, "{user}");
        assert_eq!(device["globalProps"], json!({ID: expected}), "{user}");
    }
    // Nor does a feed tell of it.
    let basic = |user: &str| format!("Basic {}", BASE64_STANDARD.encode(user));
    let mut seen = Vec::new();
    for user in ["ann:a pass:word", "eve:eves"] {
        let mut feed = site.feed_with("device-feed", &basic(user)).await.unwrap();
        feed.send(&json!({"message": "refresh", "objectId": id}).to_string())
            .await;
        let device = feed.next().await.unwrap();
        seen.push((feed, device["objectDict"]["ownerProps"]["pin"].clone()));
    }
    assert_eq!((&seen[0].1, &seen[1].1), (&json!("1234"), &json!("")));
    set("9876", "other").await;
    for ((feed, _), shown) in seen.iter_mut().zip([true, false]) {
        let patch = feed.next().await.unwrap().to_string();
        assert!(patch.contains("other"), "{patch}");
        assert_eq!(patch.contains("9876"), shown, "{patch}");
    }
}
