//! Tests of objects and commands.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_read_and_commanded() {
    let site = site(nothing).await;
    let lamp = create(&site, "Lamp").await;
    let list = site.get("/v2/api/indigo.devices").await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let one = site
        .get(&format!("/v2/api/indigo.devices/{lamp}"))
        .await
        .json();
    let slash = site.get(&format!("/v2/api/indigo.devices/{lamp}/")).await;
    assert_eq!(slash.json(), one);
    assert_eq!(one["name"], "Lamp");
    assert_eq!(one["class"], "indigo.RelayDevice");
    assert_eq!(one["protocol"], "indigo.kProtocol.Plugin");
    assert_eq!(one["folder"], json!({}));
    for path in [
        "/v2/api/indigo.devices/1",
        "/v2/api/indigo.lamps",
        "/v2/api/devices",
        "/v2/api/indigo.devices/x",
    ] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    let put = site
        .send(
            "PUT",
            &format!("/v2/api/indigo.devices/{lamp}?api-key={KEY}"),
            &[],
            b"",
        )
        .await;
    assert_eq!(put.status, 405);
    site.fixture.calls();
    let on = json!({"id": "mine", "message": "indigo.device.turnOn", "objectId": lamp});
    let got = site.post("/v2/api/command", &on).await;
    assert_eq!(
        got.json(),
        json!({"success": true, "id": "mine", "result": null})
    );
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !site
        .fixture
        .names()
        .iter()
        .any(|name| name == "actionControlDevice")
    {
        assert!(
            std::time::Instant::now() < deadline,
            "the plugin was not told"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_wrong_say_by_key_what_is() {
    let site = site(nothing).await;
    let lamp = create(&site, "Lamp").await;
    let cases = [
        (json!({}), "message"),
        (json!({"message": 5}), "message"),
        (
            json!({"message": "indigo.device.delete", "objectId": lamp}),
            "message",
        ),
        (
            json!({"message": "device.turnOn", "objectId": lamp}),
            "message",
        ),
        (json!({"message": "indigo.device.turnOn"}), "objectId"),
        (
            json!({"message": "indigo.device.turnOn", "objectId": 1}),
            "objectId",
        ),
        (
            json!({"message": "indigo.variable.updateValue", "objectId": lamp, "parameters": {"value": "x"}}),
            "objectId",
        ),
        (
            json!({"message": "indigo.device.turnOn", "objectId": lamp, "parameters": 5}),
            "parameters",
        ),
        (
            json!({"message": "indigo.device.turnOn", "objectId": lamp, "parameters": {"x": 5}}),
            "parameters",
        ),
        (
            json!({"message": "indigo.device.turnOn", "objectId": lamp, "parameters": {"delay": "5"}}),
            "delay",
        ),
        (
            json!({"message": "indigo.dimmer.setBrightness", "objectId": lamp}),
            "value",
        ),
        (
            json!({"message": "indigo.thermostat.setHvacMode", "objectId": lamp, "parameters": {"value": "a b"}}),
            "value",
        ),
        (
            json!({"message": "indigo.sprinkler.run", "objectId": lamp, "parameters": {"schedule": ["x"]}}),
            "schedule",
        ),
        (json!({"message": "indigo.server.log"}), "messageText"),
        (json!({"message": "plugin.restart"}), "pluginId"),
        (
            json!({"message": "plugin.executeAction", "pluginId": ID}),
            "actionId",
        ),
        (
            json!({"message": "plugin.executeAction", "pluginId": ID, "actionId": "x", "props": []}),
            "props",
        ),
    ];
    for (message, key) in cases {
        let got = site.post("/v2/api/command", &message).await;
        assert_eq!(got.status, 400, "{message}");
        let body = got.json();
        let errors = body["validationErrors"].as_object().unwrap();
        assert!(
            errors.contains_key(key) && errors.len() == 1,
            "{message}: {body}"
        );
    }
    let bearer = format!("Bearer {KEY}");
    let got = site
        .send(
            "POST",
            "/v2/api/command",
            &[("Authorization", &bearer)],
            b"<xml/>",
        )
        .await;
    assert_eq!(
        got.json(),
        json!({"request_body": "<xml/>", "error": "invalid JSON"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_updated_as_documented() {
    let site = site(nothing).await;
    let caller = crate::Caller::Operator("server");
    let made = site
        .fixture
        .server
        .command(&caller, "variable.create", json!({"name": "v"}))
        .await;
    let id = made.unwrap()["id"].as_i64().unwrap();
    let message = |value: Value| json!({"id": "m", "message": "indigo.variable.updateValue", "objectId": id, "parameters": {"value": value}});
    let got = site
        .post("/v2/api/command", &message(json!(1234.56)))
        .await
        .json();
    assert_eq!(
        got,
        json!({"validationErrors": {"value": "variable values must be strings"},
        "error": "invalid command payload received, id: m", "id": "m"})
    );
    assert_eq!(
        site.post("/v2/api/command", &message(json!("x")))
            .await
            .status,
        200
    );
    let seen = site
        .get(&format!("/v2/api/indigo.variables/{id}"))
        .await
        .json();
    assert_eq!(seen["value"], "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_while_they_are_read() {
    let site = site(nothing).await;
    let caller = crate::Caller::Operator("server");
    let mut ids = Vec::new();
    for n in 0..100 {
        let arguments = json!({"name": format!("v{n}"), "value": "<\"".repeat(30_000)});
        let made = site
            .fixture
            .server
            .command(&caller, "variable.create", arguments)
            .await;
        ids.push(made.unwrap()["id"].as_i64().unwrap());
    }
    let list = site.get("/v2/api/indigo.variables").await;
    // Beside the variables that the server itself has.
    let all = list.body.matches("indigo.Variable").count();
    assert!(all > 40, "{all}");
    let address = site.address;
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let request = format!(
        "GET /v2/api/indigo.variables HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {KEY}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    for id in ids {
        let deleted = site
            .fixture
            .server
            .command(&caller, "variable.delete", json!({"variable": id}))
            .await;
        deleted.unwrap();
    }
    let read = move || {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let late = tokio::task::spawn_blocking(read).await.unwrap();
    let count = late.matches("indigo.Variable").count();
    assert!(0 < count && count < all, "{count} of {all}");
}
