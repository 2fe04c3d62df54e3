//! The HTTP API in front of plugins in real components: pages and dialogs.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::site::{KEY, Site};
use crate::stage::Stage;

const ID: &str = "org.example.web";

/// The files of a folder under `tests/cases/indigo`.
fn files(case: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/indigo");
    let entries = std::fs::read_dir(folder.join(case)).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// A stage with the plugin of a case, and the address of its API.
async fn open(case: &str, templates: bool) -> (Stage, Site) {
    let mut stage = Stage::new();
    let files = files(case);
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let root = crate::stage::bundle(stage.path(), "Web", ID, &files);
    if templates {
        let code = root.join("Contents/Server Plugin");
        std::fs::create_dir(code.join("Templates")).unwrap();
        std::fs::rename(code.join("address.xml"), code.join("Templates/address.xml")).unwrap();
    }
    let remote = stage.start_bundle(&root, "").await;
    let site = Site::open(&mut stage).await;
    let _ = remote;
    let patience = Instant::now() + Duration::from_secs(30);
    while !stage.server().await.plugin(ID).unwrap().running() {
        assert!(Instant::now() < patience, "the plugin does not run");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (stage, site)
}

/// Status, content type and body.
pub async fn send(site: &Site, method: &str, path: &str, body: Value) -> (u16, String, String) {
    let key = ("Authorization".to_owned(), format!("Bearer {KEY}"));
    let kind = |kind: &str| ("Content-Type".to_owned(), kind.to_owned());
    let (kind, body) = match body {
        Value::Null => (None, None),
        Value::String(form) => (Some(kind("application/x-www-form-urlencoded")), Some(form)),
        other => (Some(kind("application/json")), Some(other.to_string())),
    };
    let headers: Vec<_> = kind.into_iter().chain([key]).collect();
    let got = site.send(method, path, &headers, body).await;
    (got.status, got.kind, got.body)
}

async fn post(site: &Site, path: &str, body: Value) -> Value {
    let (_, _, text) = send(site, "POST", path, body).await;
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_answers_over_http() {
    let (_stage, site) = open("101-http", false).await;
    let path = format!("/message/{ID}/tell/a/b%20c?x=1&y=2&y=3");
    let (status, kind, body) = send(&site, "GET", &path, Value::Null).await;
    assert_eq!((status, kind.as_str()), (200, "application/json"), "{body}");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        told["kinds"],
        json!(["file_path", "headers", "url_query_args"])
    );
    assert_eq!(
        (&told["waiting"], &told["device"]),
        (&json!(true), &Value::Null)
    );
    assert_eq!(told["action"], json!([ID, "tell", 0]));
    assert_eq!(told["props"]["file_path"], json!(["a", "b c"]));
    assert_eq!(
        told["props"]["url_query_args"],
        json!({"x": "1", "y": ["2", "3"]})
    );
    assert_eq!(told["props"]["incoming_request_method"], "GET");
    let path = format!("/message/{ID}/tell");
    let told = post(&site, &path, json!("a=1&b=%C3%A4")).await;
    assert_eq!(
        told["props"]["body_params"],
        json!({"a": "1", "b": "\u{e4}"})
    );
    let told = post(&site, &path, json!({"class": "indigo.Device"})).await;
    assert_eq!(
        told["props"]["request_body"],
        "{\"class\":\"indigo.Device\"}"
    );
    // What strangers send makes no object of a class.
    let told = post(&site, &path, json!("class=indigo.Device&id=5")).await;
    assert_eq!(
        told["props"]["body_params"],
        json!({"class": "indigo.Device", "id": "5"}),
        "{told}"
    );
    for (form, status, kind, body) in [
        ("text", 200, "application/json", "{\"a\": 1}"),
        ("page", 404, "text/html", "<b>nothing here</b>"),
        ("plain_headers", 200, "text/plain", "plain"),
        ("file", 200, "text/html", "<p>a page</p>\n"),
        ("none", 200, "application/json", ""),
    ] {
        let path = format!("/message/{ID}/reply/?form={form}");
        let got = send(&site, "GET", &path, Value::Null).await;
        assert_eq!(got, (status, kind.to_owned(), body.to_owned()), "{form}");
    }
    let (status, _, body) = send(&site, "GET", &format!("/message/{ID}/snake"), Value::Null).await;
    assert_eq!((status, body.as_str()), (200, "one"));
    for (path, status, word) in [
        ("reply/?form=outside", 500, "unknown_error"),
        ("reply/?form=raise", 500, "unknown_error"),
        ("missing", 501, "invalid_action"),
        ("none", 501, "invalid_action"),
    ] {
        let (got, _, body) =
            send(&site, "GET", &format!("/message/{ID}/{path}"), Value::Null).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (got, &body["error"]),
            (status, &json!(word)),
            "{path}: {body}"
        );
        if path.contains("raise") {
            let exception = body["exception"].as_str().unwrap();
            assert!(
                exception.contains("form_raise") && exception.contains("told to"),
                "{body}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_takes_too_long_is_cut() {
    let (_stage, site) = open("101-http", false).await;
    let path = format!("/message/{ID}/reply/?form=slow");
    let (status, _, body) = send(&site, "GET", &path, Value::Null).await;
    assert_eq!(status, 504, "{body}");
    assert!(body.contains("within 20 s"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_of_devices() {
    let (mut stage, site) = open("102-dialogs", true).await;
    let opening = json!({"pluginId": ID, "kind": "device", "typeId": "lamp", "name": "Hall"});
    let dialog = post(&site, "/cordon/indigo/dialogs", opening).await;
    let path = format!(
        "/cordon/indigo/dialogs/{}",
        dialog["dialog"].as_str().expect("a dialog")
    );
    let expected = json!({"address": "192.0.2.1", "more": false, "room": "hall", "others": []});
    assert_eq!(dialog["values"], expected);
    let field = |dialog: &Value, id: &str| {
        let fields = dialog["fields"].as_array().unwrap();
        fields.iter().find(|it| it["id"] == id).unwrap().clone()
    };
    assert_eq!(
        field(&dialog, "room")["options"],
        json!([{"value": "hall", "label": "rooms: hall"}])
    );
    assert_eq!(field(&dialog, "room")["visible"], false);
    let values = json!({"values": {"more": true}});
    let dialog = post(&site, &format!("{path}/values"), values).await;
    assert_eq!(field(&dialog, "room")["visible"], true);
    let dialog = post(&site, &format!("{path}/press"), json!({"field": "search"})).await;
    assert_eq!(dialog["values"]["room"], "attic");
    assert_eq!(field(&dialog, "room")["options"][0]["value"], "kitchen");
    let bad = json!({"values": {"address": "bad"}});
    let refused = post(&site, &format!("{path}/save"), bad).await;
    assert_eq!(refused["saved"], false);
    assert_eq!(refused["errors"], json!({"address": "is bad"}));
    assert_eq!(refused["alert"], "look at the address");
    let good = json!({"values": {"address": "192.0.2.9"}});
    let saved = post(&site, &format!("{path}/save"), good).await;
    assert_eq!(saved["saved"], true, "{saved}");
    assert_eq!(saved["values"]["version"], "7");
    let id = saved["objectId"].as_i64().unwrap();
    stage.line("start Hall 192.0.2.9 attic").await;
    let device = stage.done("devices.get", json!({"id": id})).await;
    assert_eq!(
        (&device["version"], &device["configured"]),
        (&json!("7"), &json!(true))
    );
    // Again: with what was saved, the plugin's own remark, and the devices that there are.
    let opening = json!({"pluginId": ID, "kind": "device", "typeId": "lamp", "objectId": id});
    let dialog = post(&site, "/cordon/indigo/dialogs", opening).await;
    assert_eq!(dialog["values"]["address"], "192.0.2.9");
    assert_eq!(dialog["errors"], json!({"address": "seen before"}));
    let others = json!([{"value": id.to_string(), "label": "Hall"}]);
    assert_eq!(field(&dialog, "others")["options"], others);
    let path = format!(
        "/cordon/indigo/dialogs/{}",
        dialog["dialog"].as_str().unwrap()
    );
    send(&site, "DELETE", &path, Value::Null).await;
    stage.line("closed lamp True True").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_of_everything_else() {
    let (mut stage, site) = open("102-dialogs", true).await;
    let open = async |opening: Value| {
        let mut opening = opening;
        opening["pluginId"] = json!(ID);
        let dialog = post(&site, "/cordon/indigo/dialogs", opening).await;
        let id = dialog["dialog"]
            .as_str()
            .unwrap_or_else(|| panic!("{dialog}"));
        (format!("/cordon/indigo/dialogs/{id}"), dialog)
    };
    let (path, dialog) = open(json!({"kind": "prefs"})).await;
    assert_eq!(dialog["values"]["level"], "20");
    post(
        &site,
        &format!("{path}/save"),
        json!({"values": {"level": "10"}}),
    )
    .await;
    stage.line("prefs False 10").await;
    let (_, dialog) = open(json!({"kind": "prefs"})).await;
    assert_eq!(dialog["values"]["level"], "10");

    let (path, _) = open(json!({"kind": "event", "typeId": "rang", "name": "Bell"})).await;
    let saved = post(
        &site,
        &format!("{path}/save"),
        json!({"values": {"times": "3"}}),
    )
    .await;
    assert_eq!(saved["saved"], true, "{saved}");
    stage.line("watch Bell rang 3").await;

    let (path, _) = open(json!({"kind": "menu", "typeId": "now"})).await;
    post(&site, &format!("{path}/save"), json!({})).await;
    stage.line("menu now").await;
    let (path, _) = open(json!({"kind": "menu", "typeId": "ask"})).await;
    let refused = post(&site, &format!("{path}/save"), json!({})).await;
    assert_eq!(refused["errors"], json!({"word": "say one"}));
    let saved = post(
        &site,
        &format!("{path}/save"),
        json!({"values": {"word": "hello"}}),
    )
    .await;
    assert_eq!(saved["saved"], true);
    stage.line("menu ask hello").await;

    let (path, _) = open(json!({"kind": "factory"})).await;
    post(&site, &format!("{path}/press"), json!({"field": "make"})).await;
    let made = stage.done("devices.get", json!({"id": "made"})).await;
    post(&site, &format!("{path}/save"), json!({})).await;
    stage.line("factory False").await;

    let opening = json!({"kind": "action", "typeId": "beep", "objectId": made["id"]});
    let (path, dialog) = open(opening).await;
    assert_eq!(dialog["values"], json!({"times": "2"}));
    let done = post(&site, &format!("{path}/save"), json!({"execute": true})).await;
    assert_eq!(done["result"], "made 2", "{done}");
}
