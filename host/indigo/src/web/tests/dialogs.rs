//! Dialogs over HTTP.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn dialogs_work_over_http() {
    let site = site(|name, arguments| match name {
        "validateDeviceConfigUi" if arguments["valuesDict"]["address"] == "bad" => {
            returned(json!([false, arguments["valuesDict"], {"address": "is bad"}]))
        }
        _ => Some(Answer::NotDefined),
    })
    .await;
    let plugins = site.get("/cordon/indigo/plugins").await.json();
    assert_eq!(plugins[0]["pluginId"], ID);
    assert_eq!(plugins[0]["deviceTypes"][0]["class"], "indigo.RelayDevice");
    let opening = json!({"pluginId": ID, "kind": "device", "typeId": "r", "name": "New"});
    let got = site.post("/cordon/indigo/dialogs", &opening).await;
    assert_eq!(got.status, 201);
    let dialog = got.json();
    assert_eq!(dialog["values"], json!({"address": "7"}));
    assert_eq!(dialog["fields"][0]["type"], "textfield");
    let path = format!(
        "/cordon/indigo/dialogs/{}",
        dialog["dialog"].as_str().unwrap()
    );
    let bad = site
        .post(
            &format!("{path}/save"),
            &json!({"values": {"address": "bad"}}),
        )
        .await
        .json();
    assert_eq!(
        (&bad["saved"], &bad["errors"]),
        (&json!(false), &json!({"address": "is bad"}))
    );
    let saved = site
        .post(
            &format!("{path}/save"),
            &json!({"values": {"address": "8"}}),
        )
        .await
        .json();
    assert_eq!(saved["saved"], true);
    let id = saved["objectId"].as_i64().unwrap();
    let device = site
        .get(&format!("/v2/api/indigo.devices/{id}"))
        .await
        .json();
    assert_eq!(device["name"], "New");
    assert_eq!(device["configured"], true);
    assert_eq!(device["ownerProps"], json!({"address": "8"}));
    assert_eq!(device["address"], "8");
    // Once more, for the device that is there now.
    let opening = json!({"pluginId": ID, "kind": "device", "typeId": "r", "objectId": id});
    let dialog = site.post("/cordon/indigo/dialogs", &opening).await.json();
    assert_eq!(dialog["values"], json!({"address": "8"}));
    let path = format!(
        "/cordon/indigo/dialogs/{}",
        dialog["dialog"].as_str().unwrap()
    );
    let cancelled = site
        .send("DELETE", &format!("{path}?api-key={KEY}"), &[], b"")
        .await;
    assert_eq!(cancelled.json(), json!({"cancelled": true}));
    for (path, body, status) in [
        (format!("{path}/save"), json!({}), 404),
        (format!("{path}/nonsense"), json!({}), 404),
        (format!("{path}/save"), json!({"x": 1}), 400),
        (
            "/cordon/indigo/dialogs".to_owned(),
            json!({"kind": "device"}),
            400,
        ),
        (
            "/cordon/indigo/dialogs".to_owned(),
            json!({"pluginId": ID, "kind": "x"}),
            400,
        ),
        (
            "/cordon/indigo/dialogs".to_owned(),
            json!({"pluginId": "x", "kind": "prefs"}),
            404,
        ),
        (
            "/cordon/indigo/dialogs".to_owned(),
            json!({"pluginId": ID, "kind": "event", "typeId": "x"}),
            404,
        ),
    ] {
        let got = site.post(&path, &body).await;
        assert_eq!(got.status, status, "{path} {body}: {}", got.body);
    }
}

/// One plugin's definitions keep nobody from seeing those of others, or its own facts.
#[tokio::test(flavor = "multi_thread")]
async fn large_definitions_are_left_out_of_the_list() {
    let options: String = (0..1000)
        .map(|n| format!("<Option value='v{n}'>x</Option>"))
        .collect();
    let state = |n| {
        let id = format!("{n}{}", "k".repeat(200));
        format!("<State id='{id}'><ValueType><List>{options}</List></ValueType></State>")
    };
    let of = |count: usize| -> String {
        let states: String = (0..count).map(state).collect();
        format!(
            "<Devices><Device type='custom' id='d'><Name>N</Name><States>{states}</States></Device>\
             </Devices>"
        )
    };
    for (count, large) in [(1, false), (20, true)] {
        let files = [("Server Plugin/Devices.xml", &*of(count))];
        let fixture = Fixture::new(&files, |_, _| Some(Answer::NotDefined)).await;
        let site = serve(fixture, &config()).await;
        let got = site.get("/cordon/indigo/plugins").await;
        assert!(got.body.len() < 2 << 20);
        let plugin = &got.json()[0];
        assert_eq!(plugin["pluginId"], ID);
        assert_eq!(plugin["definitionsTooLarge"].is_null(), !large);
        assert_eq!(plugin["deviceTypes"].is_null(), large);
    }
}
