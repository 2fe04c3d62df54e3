//! Requests that are small to send and large to read, or too many.

use super::*;

async fn quiet() -> Site {
    site(|_, _| Some(Answer::Returned(Value::Null))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_a_bounded_number_of_values() {
    let site = quiet().await;
    let many = Value::Array(vec![json!([]); 200_000]);
    let message = json!({"message": "plugin.executeAction", "pluginId": ID, "actionId": "api",
        "props": {"many": many}});
    let got = site.post("/v2/api/command", &message).await;
    assert_eq!((got.status, got.error().as_str()), (400, "invalid JSON"));
    let command = json!({"command": "server.getTime", "arguments": {"many": many}});
    let got = site.post("/cordon/indigo/command", &command).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert!(got.body.contains("command-values"), "{got:?}");
}

/// Each byte of it was answered with six.
#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_no_json_the_beginning_is_repeated() {
    let site = quiet().await;
    let bearer = format!("Bearer {KEY}");
    let headers = [("Authorization", bearer.as_str())];
    let body = vec![1; 1_000_000];
    let got = site.send("POST", "/v2/api/command", &headers, &body).await;
    assert_eq!(got.status, 400);
    assert!(got.body.len() < 10_000, "{} bytes", got.body.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_command_is_carried_out_as_a_short_one_is() {
    let site = site(|_, arguments| {
        let many = &arguments["args"][0]["props"]["many"];
        Some(Answer::Returned(json!(many.as_array().map(Vec::len))))
    })
    .await;
    for count in [1, 20_000] {
        let message = json!({"message": "plugin.executeAction", "pluginId": ID, "actionId": "api",
            "props": {"many": vec![7; count]}});
        let got = site.post("/v2/api/command", &message).await;
        assert_eq!(got.json()["result"], json!(count), "{}", got.status);
    }
}

/// Lines of clients, and lines that they make the hub write, have the rate of clients.
#[tokio::test(flavor = "multi_thread")]
async fn clients_write_no_more_into_the_log_than_they_may() {
    let site = quiet().await;
    let made = json!({"command": "device.create", "arguments": {"name": "d", "pluginId": ID,
        "deviceTypeId": "r"}});
    let made = site.post("/cordon/indigo/command", &made).await;
    let id = made.json()["result"]["id"].clone();
    let off = json!({"message": "indigo.device.enable", "objectId": id,
        "parameters": {"value": false}});
    assert_eq!(site.post("/v2/api/command", &off).await.status, 200);
    let line = json!({"message": "indigo.server.log", "messageText": "flood"});
    let caused = json!({"message": "indigo.device.turnOn", "objectId": id});
    let mut refused = 0;
    for _ in 0..400 {
        let got = site.post("/v2/api/command", &line).await;
        refused += usize::from(got.status == 503);
        site.post("/v2/api/command", &caused).await;
    }
    let events = site.fixture.server.events();
    events.record(None, Level::Error, "the hub's own");
    let lines = events.tail(None, 10_000);
    let of_clients = lines.iter().filter(|it| it.client).count();
    assert!(refused > 0, "every line was taken");
    assert!(of_clients < 400, "{of_clients} lines of clients");
    let own = |text: &str| {
        lines
            .iter()
            .filter(|it| !it.client && it.text.contains(text))
            .count()
    };
    assert_eq!(
        (own("the hub's own"), own("disabled"), own("flood")),
        (1, 0, 0)
    );
}

/// Long bodies that come slowly have the room of their client, and short ones need none.
#[tokio::test(flavor = "multi_thread")]
async fn long_bodies_have_the_room_of_their_client() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let fixture = Fixture::new(&FILES, nothing).await;
    let (listener, api) = listen(&fixture, &config(), USERS).await;
    // Nine megabytes are for one client.
    let site = served(fixture, listener, api.with_budget(Budget::of(24 << 20)));
    let head = format!(
        "POST /v2/api/command HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Length: 1000000\r\n\r\n{{",
        site.address
    );
    let mut clients = Vec::new();
    for _ in 0..32 {
        let mut client = tokio::net::TcpStream::connect(site.address).await.unwrap();
        client.write_all(head.as_bytes()).await.unwrap();
        clients.push(client);
    }
    // Longer than anybody waits for room.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut refused = 0;
    for client in &mut clients {
        let mut status = [0; 12];
        let read = client.read_exact(&mut status);
        if let Ok(read) = tokio::time::timeout(Duration::from_millis(20), read).await {
            read.unwrap();
            assert_eq!(&status, b"HTTP/1.1 503");
            refused += 1;
        }
    }
    assert!((20..=26).contains(&refused), "{refused} of 32 were refused");
    let time = json!({"command": "server.getTime"});
    assert_eq!(site.post("/cordon/indigo/command", &time).await.status, 200);
}
