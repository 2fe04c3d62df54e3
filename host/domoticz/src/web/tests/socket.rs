//! Tests of the WebSocket between plugins and browsers.

use serde_json::json;
use tungstenite::Message;
use tungstenite::WebSocket;
use tungstenite::protocol::Role;

use super::*;
use crate::announcement::Announcer;

/// A client on the socket.
struct Client(WebSocket<TcpStream>);

impl Client {
    /// Says something and hears the answer.
    fn ask(&mut self, message: &str) -> Value {
        self.0.send(Message::text(message)).unwrap();
        self.hear()
    }

    fn hear(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.read().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

/// Opens the socket with these headers; the status line where it does not open.
fn open(address: SocketAddr, headers: &str) -> Result<Client, String> {
    let mut stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    let request = format!(
        "GET /json HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: domoticz\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    if !head.starts_with("HTTP/1.1 101 ") {
        return Err(head.lines().next().unwrap().to_owned());
    }
    assert!(head.contains("sec-websocket-protocol: domoticz"), "{head}");
    Ok(Client(WebSocket::from_raw_socket(
        stream,
        Role::Client,
        None,
    )))
}

/// Runs a client beside the server.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn a_page_hears_of_the_plugins_that_it_follows_rules_194_and_195() {
    let f = fixture().await;
    let address = f.address;
    let client = beside(move || {
        let mut client = open(address, "").unwrap();
        for topic in ["", "devices", "plugin:", "plugin"] {
            let answer = client.ask(&format!(
                r#"{{"event":"subscribe","topic":"{topic}","requestid":4}}"#
            ));
            assert_eq!(
                (&answer["event"], &answer["requestid"]),
                (&"response".into(), &4.into())
            );
        }
        let answer = client.ask(r#"{"event":"subscribe","topic":"plugin:K","requestid":1}"#);
        assert_eq!(
            answer,
            json!({"event": "subscribed", "request": "subscribe", "requestid": 1})
        );
        client
    })
    .await;
    let account = Account::of_hub();
    let announce = |key: &str, data: &str| {
        let by = Announcer {
            hardware: f.hardware,
            key,
            account: &account,
            timers: 1,
        };
        f.api.house.announce(&by, "webSocketSend", data).unwrap();
    };
    announce("Other", "1");
    announce("K", r#"{"a":1}"#);
    announce("K", r#""{\"a\":1}""#);
    let hardware = f.hardware;
    beside(move || {
        let mut client = client;
        let expected =
            |data: Value| json!({"event": "plugin", "plugin": "K", "hwid": hardware, "data": data});
        assert_eq!(client.hear(), expected(json!({"a": 1})));
        assert_eq!(client.hear(), expected(json!("{\"a\":1}")));
        let answer = client.ask(r#"{"event":"unsubscribe","topic":"plugin:K"}"#);
        assert_eq!(answer["event"], "unsubscribed");
    })
    .await;
    assert!(!f.api.house.topics().has("K"));
}

#[tokio::test]
async fn commands_reach_the_running_instances_of_a_plugin_rule_195() {
    let f = fixture().await;
    let (address, hardware) = (f.address, f.hardware);
    beside(move || {
        let mut client = open(address, "").unwrap();
        let ack = |delivered: u32| json!({"event": "plugin_command_ack", "plugin": "K", "delivered": delivered});
        let mut ask = |rest: &str| {
            client.ask(&format!(r#"{{"event":"plugin_command","plugin":"K"{rest}}}"#))
        };
        assert_eq!(ask(r#","data":"text \"x\"""#), ack(1));
        assert_eq!(ask(&format!(r#","data":{{"b":[1,null]}},"hwid":{hardware}"#)), ack(1));
        assert_eq!(ask(r#","data":1,"hwid":99"#), ack(0));
        assert_eq!(ask(r#","data":1,"hwid":"all""#), ack(0));
        let large = "x".repeat(65_537);
        let answer = ask(&format!(r#","data":"{large}""#));
        assert_eq!((&answer["error"], &answer["delivered"]), (&"Payload too large".into(), &0.into()));
        assert_eq!(ask(&format!(r#","data":"{}""#, &large[1..])), ack(1));
        let unusable = json!({"event": "response", "error": "Internal Server Error!!"});
        assert_eq!(ask(""), unusable);
        for nonsense in ["", "[]", "{}", "nonsense", r#"{"event":"plugin_command","plugin":5,"data":1}"#] {
            assert_eq!(client.ask(nonsense), unusable);
        }
    })
    .await;
    let texts = f.events().into_iter().map(|(id, event)| match event {
        HubEvent::WebSocketMessage(text) => (id, text),
        other => panic!("{other:?}"),
    });
    let mut texts: Vec<_> = texts.collect();
    assert_eq!(texts.pop().unwrap().1.len(), 65_536);
    let expected = ["text \"x\"", r#"{"b":[1,null]}"#].map(|text| (hardware, text.to_owned()));
    assert_eq!(texts, expected);
    *f.plugins.refuse.lock().unwrap() = Some(DeliverError::NotRunning);
    let answer = beside(move || {
        let mut client = open(address, "").unwrap();
        client.ask(r#"{"event":"plugin_command","plugin":"K","data":1}"#)
    });
    assert_eq!(answer.await["delivered"], 0);
}

#[tokio::test]
async fn pages_of_others_viewers_and_crowds_are_kept_out() {
    let f = fixture_with(
        "networks = []\nusers = [{ name = \"eve\", password = \"x\", rights = \"viewer\" }]",
    )
    .await;
    let address = f.address;
    // eve:x
    let eve = "Authorization: Basic ZXZlOng=\r\n";
    beside(move || {
        let refused = |headers: &str| open(address, headers).map(drop).unwrap_err();
        assert!(refused("").contains("401"));
        let chrome = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0\r\n";
        assert!(refused(&format!("{eve}Origin: http://evil.example\r\n")).contains("403"));
        assert!(refused(&format!("{eve}Origin: null\r\n")).contains("403"));
        assert!(refused(&format!("{eve}{chrome}")).contains("403"));
        let own = format!("{eve}{chrome}Origin: http://{address}\r\n");
        let mut page = open(address, &own).unwrap();
        let answer = page.ask(r#"{"event":"plugin_command","plugin":"K","data":1}"#);
        assert_eq!(answer["error"], "Forbidden");
        let more: Vec<_> = (0..8).map(|_| open(address, eve)).collect();
        assert_eq!(more.iter().filter(|it| it.is_ok()).count(), 7);
        assert!(
            more.iter()
                .flat_map(|it| it.as_ref().err())
                .all(|it| it.contains("503"))
        );
    })
    .await;
    assert!(f.events().is_empty());
    let answer = f.get("/json", &format!("{eve}Connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}
