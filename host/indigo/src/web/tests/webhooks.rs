//! Tests of webhooks, and of the command that makes their triggers.

use super::*;

/// Sends a command of the server.
async fn command(site: &Site, command: &str, arguments: Value) -> Got {
    let body = json!({"command": command, "arguments": arguments});
    site.post("/cordon/indigo/command", &body).await
}

/// A trigger for a webhook whose steps call the plugin's action `api`.
async fn trigger(site: &Site, name: &str, props: Value) {
    let step = json!({"class": "indigo.PluginAction", "pluginId": ID, "pluginTypeId": "api",
        "props": {"by": name}});
    let arguments = json!({"name": name, "pluginId": "com.indigodomo.webserver",
        "pluginTypeId": "simpleWebhook", "props": props, "actions": [step]});
    let got = command(site, "pluginEvent.create", arguments).await;
    assert_eq!(got.status, 200, "{got:?}");
}

/// The calls of the action since the last time, `count` at least: the caller, and the event's data.
async fn fired(site: &Site, count: usize) -> Vec<(Value, Value)> {
    let mut found = Vec::new();
    for _ in 0..500 {
        let calls = site.fixture.calls();
        let calls = calls.into_iter().filter(|(name, _)| name == "plugin.api");
        found.extend(calls.map(|(_, arguments)| {
            let by = arguments["args"][0]["props"]["by"].clone();
            (by, arguments["event_data"].clone())
        }));
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_fires_its_triggers_with_what_came() {
    let site = site(|_, _| returned(json!("{}"))).await;
    trigger(&site, "json", json!({"webhookId": "home-json"})).await;
    let form = json!({"webhookId": "work", "httpMethod": "POST", "postProcessing": "FORM"});
    trigger(&site, "form", form).await;
    let get = json!({"webhookId": "work", "httpMethod": "GET", "postProcessing": "JSON"});
    trigger(&site, "get", get).await;

    let path = format!("/webhook/home-json?api-key={KEY}");
    let got = site
        .send("POST", &path, &[], b"{\"trigger\": \"enter\"}")
        .await;
    assert_eq!((got.status, got.json()), (200, json!({"success": true})));
    let (by, data) = fired(&site, 1).await.remove(0);
    assert_eq!(by, "json");
    for (key, value) in [
        ("data", json!({"trigger": "enter"})),
        ("event-plugin-event-id", json!("simpleWebhook")),
        ("event-plugin-id", json!("com.indigodomo.webserver")),
        ("event-plugin-name", json!("Web Server")),
        ("event-type", json!("PluginEventTrigger")),
        ("http-method", json!("POST")),
        ("http-post-content", json!("JSON")),
        ("request-url", json!("/webhook/home-json")),
        ("source", json!("python")),
        ("status-code", json!(200)),
        ("webhook-id", json!("home-json")),
    ] {
        assert_eq!(data[key], value, "{key} of {data}");
    }
    assert!(data["event-indigo-id"].is_i64() && data["timestamp"].is_string());

    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let path = format!("/webhook/work?api-key={KEY}");
    let got = site
        .send("POST", &path, &kind, b"trigger=enter&a=1&a=2")
        .await;
    assert_eq!(got.status, 200, "{got:?}");
    let (by, data) = fired(&site, 1).await.remove(0);
    assert_eq!(
        (by, &data["http-post-content"]),
        (json!("form"), &json!("FORM"))
    );
    assert_eq!(data["data"], json!({"trigger": ["enter"], "a": ["1", "2"]}));

    let got = site.get("/webhook/work?trigger=exit").await;
    assert_eq!(got.status, 200, "{got:?}");
    let (by, data) = fired(&site, 1).await.remove(0);
    assert_eq!((by, &data["http-method"]), (json!("get"), &json!("GET")));
    assert_eq!(data["data"], json!({"trigger": ["exit"]}));
    assert_eq!(data["http-post-content"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_disabled_trigger_is_unavailable() {
    let site = site(|_, _| returned(Value::Null)).await;
    trigger(&site, "one", json!({"webhookId": "w"})).await;
    let get = json!({"webhookId": "w", "httpMethod": "GET"});
    trigger(&site, "two", get).await;
    let enable = async |name: &str, value: bool| {
        let arguments = json!({"id": name, "value": value});
        let got = command(&site, "trigger.enable", arguments).await;
        assert_eq!(got.status, 200, "{got:?}");
    };
    enable("one", false).await;
    let got = site.post("/webhook/w", &json!({})).await;
    assert_eq!(
        (got.status, got.error().as_str()),
        (503, "trigger_disabled")
    );
    assert!(!got.head.contains("retry-after"), "{}", got.head);
    assert_eq!(site.get("/webhook/w").await.status, 200);
    assert_eq!(fired(&site, 1).await.len(), 1);
    enable("one", true).await;
    assert_eq!(site.post("/webhook/w", &json!({})).await.status, 200);
    assert_eq!(fired(&site, 1).await[0].0, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_listen_hear_of_webhooks() {
    let site = site(|_, _| returned(Value::Null)).await;
    trigger(&site, "any", json!({"webhookId": "bell"})).await;
    let plugin = crate::Caller::Plugin(site.fixture.plugin.clone());
    let wanted = json!({"pluginId": "com.indigodomo.webserver",
        "messageName": "webhook-received", "methodName": "rang"});
    let server = &site.fixture.server;
    server
        .command(&plugin, "server.subscribeToBroadcast", wanted)
        .await
        .unwrap();
    let got = site.post("/webhook/bell", &json!([1, {"a": null}])).await;
    assert_eq!(got.status, 200);
    let calls = site.fixture.calls();
    let (_, heard) = calls
        .iter()
        .find(|(name, _)| name == "plugin.rang")
        .unwrap();
    let expected = json!([{"webhook-id": "bell", "status-code": 200, "http-method": "POST",
        "request-url": "/webhook/bell", "data": [1, {"a": null}], "http-post-content": "JSON"}]);
    assert_eq!(heard["args"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_fires_nothing() {
    let site = site(|_, _| returned(Value::Null)).await;
    trigger(&site, "json", json!({"webhookId": "j"})).await;
    trigger(&site, "get", json!({"webhookId": "g", "httpMethod": "GET"})).await;
    let form = json!({"webhookId": "f", "postProcessing": "FORM"});
    trigger(&site, "form", form).await;
    let bearer = format!("Bearer {KEY}");
    let key = ("Authorization", bearer.as_str());
    let long = format!("/webhook/{}", "x".repeat(3000));
    for (method, path, body, status) in [
        ("POST", "/webhook/none", "{}", 404),
        ("POST", long.as_str(), "{}", 404),
        ("POST", "/webhook/j", "{\"a\":", 400),
        ("POST", "/webhook/j", "5", 400),
        ("POST", "/webhook/j", "\u{ff}", 400),
        ("POST", "/webhook/f", "{}", 400),
        ("GET", "/webhook/j", "", 405),
        ("POST", "/webhook/g", "{}", 405),
        ("PUT", "/webhook/j", "{}", 405),
        ("GET", "/webhook/g?a=%G0", "", 400),
    ] {
        let got = site.send(method, path, &[key], body.as_bytes()).await;
        assert_eq!(got.status, status, "{method} {path} {body}: {got:?}");
        assert!(!got.error().is_empty());
    }
    assert_eq!(
        site.send("POST", "/webhook/j", &[], b"{}").await.status,
        401
    );
    // A key may be bound to webhooks alone. A key for other pages opens none.
    let pages = [("Authorization", "Bearer a-key-for-this-plugin")];
    assert_eq!(
        site.send("POST", "/webhook/j", &pages, b"{}").await.status,
        401
    );
    assert!(
        site.fixture
            .calls()
            .iter()
            .all(|(name, _)| name != "plugin.api")
    );
    for (props, says) in [
        (json!({}), "webhookId"),
        (json!({"webhookId": "a/b"}), "slash"),
        (json!({"webhookId": "a", "httpMethod": "PUT"}), "GET, POST"),
        (
            json!({"webhookId": "a", "postProcessing": "XML"}),
            "FORM, JSON",
        ),
    ] {
        let arguments = json!({"name": "bad", "pluginId": "com.indigodomo.webserver",
            "pluginTypeId": "simpleWebhook", "props": props});
        let got = command(&site, "pluginEvent.create", arguments).await;
        assert_eq!(got.status, 400, "{got:?}");
        assert!(got.body.contains(says), "{got:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_change_the_house_are_the_operators() {
    let site = site(|_, _| returned(Value::Null)).await;
    let made = command(
        &site,
        "variable.create",
        json!({"name": "mode", "value": "x"}),
    )
    .await;
    assert_eq!(made.json()["result"]["name"], "mode");
    for (name, arguments, status) in [
        ("variable.create", json!({"name": "mode"}), 400),
        ("variable.delete", json!({"id": "none"}), 404),
        ("nothing.at.all", json!({}), 501),
        ("variable.create", json!([]), 400),
    ] {
        let got = command(&site, name, arguments).await;
        assert_eq!(got.status, status, "{name}: {got:?}");
        assert_eq!(got.error(), "refused");
    }
    let path = format!("/cordon/indigo/command?api-key={PAGES_KEY}");
    assert_eq!(site.send("POST", &path, &[], b"{}").await.status, 401);
    let got = site.post("/cordon/indigo/command", &json!({"x": 1})).await;
    assert_eq!((got.status, got.error().as_str()), (400, "invalid_request"));
}
