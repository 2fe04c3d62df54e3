//! Tests of changes and lines of the log as they happen.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_tells_what_happens() {
    let site = site(nothing).await;
    let mut feed = site.feed("variable-feed").await.unwrap();
    feed.send("{\"message\": \"refresh\", \"id\": \"r\", \"objectType\": \"indigo.Variable\"}")
        .await;
    let mut first = feed.next().await.unwrap();
    // The server's own variable may be new at this moment.
    if first["message"] == "add" {
        assert_eq!(first["objectDict"]["name"], "isDaylight");
        first = feed.next().await.unwrap();
    }
    assert_eq!(
        (&first["message"], &first["id"]),
        (&json!("refresh"), &json!("r"))
    );
    let names: Vec<_> = first["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["isDaylight"]);
    let caller = crate::Caller::Operator("server");
    let server = &site.fixture.server;
    // A change of another collection is not told here.
    create(&site, "Lamp").await;
    let made = server
        .command(
            &caller,
            "variable.create",
            json!({"name": "v", "value": "1"}),
        )
        .await;
    let id = made.unwrap()["id"].as_i64().unwrap();
    let added = feed.next().await.unwrap();
    assert_eq!(
        (&added["message"], &added["objectType"]),
        (&json!("add"), &json!("indigo.Variable"))
    );
    assert_eq!(added["objectDict"]["id"], id);
    feed.send(&json!({"message": "indigo.variable.updateValue", "objectId": id, "parameters": {"value": "2"}}).to_string()).await;
    let patched = feed.next().await.unwrap();
    assert_eq!(
        patched,
        json!({"message": "patch", "objectType": "indigo.Variable", "objectId": id,
        "patch": [["change", "value", ["1", "2"]]]})
    );
    let refresh = json!({"message": "refresh", "objectType": "indigo.Variable", "objectId": id});
    // One sample of the manual encodes its message twice, as here.
    feed.send(&json!(refresh.to_string()).to_string()).await;
    assert_eq!(feed.next().await.unwrap()["objectDict"]["value"], "2");
    feed.send("{\"message\": \"refresh\", \"objectType\": \"indigo.Variable.Folder\"}")
        .await;
    assert_eq!(feed.next().await.unwrap()["list"], json!([]));
    for (sent, key) in [
        (
            "{\"message\": \"refresh\", \"objectType\": \"indigo.Device\"}",
            "objectType",
        ),
        ("{\"message\": \"refresh\", \"objectId\": 5}", "objectId"),
        ("{\"message\": \"nonsense\"}", "message"),
    ] {
        feed.send(sent).await;
        let got = feed.next().await.unwrap();
        assert!(got["validationErrors"].get(key).is_some(), "{got}");
    }
    feed.send("no json").await;
    assert_eq!(feed.next().await.unwrap()["error"], "invalid JSON");
    server
        .command(&caller, "variable.delete", json!({"id": id}))
        .await
        .unwrap();
    let gone = json!({"message": "delete", "objectType": "indigo.Variable", "objectId": id});
    assert_eq!(feed.next().await.unwrap(), gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_feed_has_the_last_lines_and_the_next_ones() {
    let site = site(nothing).await;
    let events = site.fixture.server.events().clone();
    for number in 0..30 {
        events.record(Some("P"), Level::Error, format!("line {number}"));
    }
    let mut feed = site.feed("log-feed").await.unwrap();
    for number in 5..30 {
        let line = feed.next().await.unwrap();
        assert_eq!(line["objectType"], "indigo.LogEvent");
        assert_eq!(line["objectDict"]["message"], format!("line {number}"));
        assert_eq!(line["objectDict"]["typeStr"], "P Error");
        assert_eq!(line["objectDict"]["typeVal"], 1);
    }
    for (level, kind, number, word, color) in [
        (Level::Normal, "P", 8, "info", "black"),
        (Level::Warning, "P Warning", 3, "warning", "darkorange"),
        (Level::Error, "P Error", 1, "error", "red"),
        (Level::Debug, "P Debug", 7, "debug", "gray"),
    ] {
        events.record(Some("P"), level, "one");
        let line = feed.next().await.unwrap();
        let shown = &line["objectDict"];
        assert_eq!(shown["typeStr"], kind);
        assert_eq!(shown["typeVal"], number);
        assert_eq!(
            (&shown["level"], &shown["color"]),
            (&json!(word), &json!(color))
        );
    }
    feed.send("{\"message\": \"indigo.server.log\", \"messageText\": \"from outside\"}")
        .await;
    let line = feed.next().await.unwrap();
    assert!(
        line["objectDict"]["message"]
            .as_str()
            .unwrap()
            .contains("from outside"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_are_bounded() {
    let site = site(nothing).await;
    assert!(site.feed("none-feed").await.is_none());
    let mut feeds = Vec::new();
    for _ in 0..socket::MAX_EACH {
        feeds.push(site.feed("device-feed").await.unwrap());
    }
    assert!(
        site.feed("device-feed").await.is_none(),
        "one more client than an address may have"
    );
    // A message that is too large ends the connection and frees the place.
    let mut first = feeds.remove(0);
    first.send(&"x".repeat(socket::MAX_MESSAGE + 1)).await;
    assert!(first.next().await.is_none());
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while site.feed("device-feed").await.is_none() {
        assert!(
            std::time::Instant::now() < deadline,
            "the place was not freed"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_told_and_closed() {
    let site = site(nothing).await;
    let mut feed = site.feed("variable-feed").await.unwrap();
    let caller = crate::Caller::Operator("server");
    let server = &site.fixture.server;
    let made = server
        .command(&caller, "variable.create", json!({"name": "v"}))
        .await
        .unwrap();
    let id = made["id"].as_i64().unwrap();
    // More changes than the queue keeps, each larger than the sockets' buffers in all.
    let value = |number: usize| format!("{number}{}", "x".repeat(20_000));
    for number in 0..1500 {
        let arguments = json!({"id": id, "value": value(number)});
        server
            .command(&caller, "variable.updateValue", arguments)
            .await
            .unwrap();
    }
    let mut told = 0;
    while feed.next().await.is_some() {
        told += 1;
    }
    assert!(
        told < 1500,
        "{told} messages were kept for a client that did not read"
    );
}

/// The object has thousands of values below a key as long as keys may be. The message takes no more
/// bytes than the object, several times over.
#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_no_longer_than_the_object() {
    let site = site(nothing).await;
    let caller = crate::Caller::Plugin(site.fixture.plugin.clone());
    let server = &site.fixture.server;
    let command = async |name: &str, arguments: Value| {
        let done = server.command(&caller, name, arguments).await;
        done.unwrap()
    };
    let made = command("variable.create", json!({"name": "v", "value": ""})).await;
    let props = |value: i32| {
        let key = "k".repeat(crate::bounds::PROPERTY);
        json!({"id": made["id"], "props": {key: vec![value; 4000]}})
    };
    let name = "variable.replacePluginPropsOnServer";
    command(name, props(0)).await;
    let mut feed = site.feed("variable-feed").await.unwrap();
    command(name, props(1)).await;
    let mut told = feed.next().await.unwrap();
    while told["message"] != "patch" {
        told = feed.next().await.unwrap();
    }
    let whole = json!([props(0), props(1)]).to_string().len();
    let patch = told.to_string().len();
    assert!(patch < 4 * whole, "{patch} bytes of {whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_of_a_user_are_bounded_from_all_addresses() {
    let web = format!("{USERS}\nproxies = ['127.0.0.1']");
    let fixture = Fixture::new(&FILES, nothing).await;
    let site = serve_with(fixture, &config(), &web).await;
    let open = async |login: &str, n: usize| {
        let login = format!("{login}\r\nX-Forwarded-For: 10.0.0.{n}");
        site.feed_with("device-feed", &login).await
    };
    let mut feeds = Vec::new();
    for n in 0..socket::MAX_EACH + 3 {
        feeds.extend(open("Basic ZXZlOmV2ZXM=", n).await);
    }
    assert_eq!(feeds.len(), socket::MAX_EACH);
    assert!(open(&format!("Bearer {KEY}"), 99).await.is_some());
}

/// A list is as long as all its objects, and clients may be slow to read it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_finds_no_room_says_so() {
    let site = site(nothing).await;
    create(&site, "Lamp").await;
    let mut feed = site.feed("device-feed").await.unwrap();
    let refresh = "{\"message\": \"refresh\", \"id\": 7}";
    let taken = all_room(&site, "all");
    feed.send(refresh).await;
    let refused = feed.next().await.unwrap();
    assert_eq!(refused["id"], 7);
    assert!(
        refused["error"].as_str().unwrap().contains("memory"),
        "{refused}"
    );
    drop(taken);
    feed.send(refresh).await;
    assert_eq!(feed.next().await.unwrap()["list"][0]["name"], "Lamp");
}

/// Whoever reads nothing leaves room to the next user, at another address or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_all_he_can_hold_leaves_an_answer_to_the_next() {
    let site = site(nothing).await;
    let made = json!({"command": "variable.create",
        "arguments": {"name": "v", "value": "x".repeat(500_000)}});
    assert_eq!(site.post("/cordon/indigo/command", &made).await.status, 200);
    let _held = all_room(&site, "eve");
    let list = json!({"command": "variables.get", "arguments": {"id": "v"}});
    let got = site.post("/cordon/indigo/command", &list).await;
    assert_eq!(got.status, 200);
    assert!(got.body.len() > 500_000, "{}", got.body.len());
    assert_eq!(site.get("/v2/api/indigo.variables").await.status, 200);
}

/// All room that this user can hold, from the addresses of others.
fn all_room(site: &Site, user: &str) -> Vec<cordon_web::budget::Room> {
    let mut held = Vec::new();
    for bytes in [1 << 20, 1 << 10, 1] {
        for n in 1..4 {
            let share = site.budget.share([10, 0, 0, n].into()).of_user(user);
            while let Ok(room) = share.take_now(bytes) {
                held.push(room);
            }
        }
    }
    held
}
