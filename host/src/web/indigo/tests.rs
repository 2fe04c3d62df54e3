//! Tests over real loopback sockets, with a plugin of closures.

mod login;
mod strangers;
mod webhooks;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use super::*;
use crate::log::Level;
use crate::platform::indigo::Answer;
use crate::platform::indigo::fixture::{Fixture, ID};

const KEY: &str = "a-key-for-everything";
const PAGES_KEY: &str = "a-key-for-this-plugin";
const OTHER_KEY: &str = "a-key-for-another-one";

const USERS: &str = "users = [{ name = 'ann', password = 'a pass:word' },\
    { name = 'bob', password = 'bobs', rights = 'user' },\
    { name = 'eve', password = 'eves', rights = 'viewer' }]";

const ACTIONS: &str = "<Actions><Action id='api' uiPath='hidden'><Name>An API</Name>\
    <CallbackMethod>api</CallbackMethod></Action><Action id='gone'><Name>G</Name>\
    <CallbackMethod>gone</CallbackMethod></Action><Action id='text'><Name>T</Name></Action>\
    <Action id='bad'><Name>B</Name><CallbackMethod>bad</CallbackMethod></Action></Actions>";
const DEVICES: &str = "<Devices><Device type='relay' id='r'><Name>R</Name><ConfigUI>\
    <Field id='address' type='textfield' defaultValue='7'/></ConfigUI></Device></Devices>";
const FILES: [(&str, &str); 7] = [
    ("Server Plugin/Actions.xml", ACTIONS),
    ("Server Plugin/Devices.xml", DEVICES),
    ("Server Plugin/own.py", "secret = 1"),
    ("Resources/images/a.png", "png"),
    ("Resources/static/css/a.css", "css"),
    ("Resources/public/p.txt", "public"),
    ("Resources/templates/t.html", "template"),
];

struct Site {
    fixture: Fixture,
    address: SocketAddr,
}

/// Status, head and body of an answer.
#[derive(Debug)]
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

fn config() -> IndigoApiConfig {
    let key = |name: &str, key: &str, plugins: &[&str]| KeyConfig {
        name: name.to_owned(),
        key: key.to_owned(),
        plugins: plugins.iter().map(|it| (*it).to_owned()).collect(),
        rights: crate::web::Rights::Admin,
    };
    IndigoApiConfig {
        keys: vec![
            key("all", KEY, &[]),
            key("pages", PAGES_KEY, &[ID]),
            key("other", OTHER_KEY, &["com.example.other"]),
        ],
        ..IndigoApiConfig::default()
    }
}

async fn site(behaviour: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static) -> Site {
    serve(Fixture::new(&FILES, behaviour).await, &config()).await
}

async fn serve(fixture: Fixture, config: &IndigoApiConfig) -> Site {
    serve_within(fixture, config, message::DEADLINE).await
}

async fn serve_within(fixture: Fixture, config: &IndigoApiConfig, deadline: Duration) -> Site {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let users = toml::from_str(USERS).unwrap();
    let access = Access::new(&users);
    let mut api = IndigoApi::new(fixture.server.clone(), config, access, true);
    api.deadline = deadline;
    let router = router(api);
    tokio::spawn(async move { crate::web::serve(listener, router, std::future::pending()).await });
    Site { fixture, address }
}

fn returned(value: Value) -> Option<Answer> {
    Some(Answer::Returned(value))
}

fn nothing(_: &str, _: &Value) -> Option<Answer> {
    Some(Answer::NotDefined)
}

impl Site {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        ));
        let mut bytes = request.into_bytes();
        bytes.extend(body);
        let address = self.address;
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            // A server that answers early may close before all is written.
            let _ = stream.write_all(&bytes);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8(answer).unwrap()
        };
        let answer = tokio::task::spawn_blocking(exchange).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Got {
            status: status.unwrap_or_else(|| panic!("{answer}")),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    async fn get(&self, path: &str) -> Got {
        let bearer = format!("Bearer {KEY}");
        self.send("GET", path, &[("Authorization", &bearer)], b"")
            .await
    }

    async fn post(&self, path: &str, body: &Value) -> Got {
        let bearer = format!("Bearer {KEY}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.send("POST", path, &headers, body.to_string().as_bytes())
            .await
    }

    /// What the plugin's `api` returned, over HTTP.
    async fn page(&self) -> Got {
        self.get(&format!("/message/{ID}/api/")).await
    }

    /// Opens a WebSocket.
    async fn feed(&self, name: &str) -> Option<Feed> {
        self.feed_with(name, &format!("Bearer {KEY}")).await
    }

    /// The same with this header `Authorization`.
    async fn feed_with(&self, name: &str, authorization: &str) -> Option<Feed> {
        let address = self.address;
        let request = format!(
            "GET /v2/api/ws/{name} HTTP/1.1\r\nHost: {address}\r\n\
             Authorization: {authorization}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let connect = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(60)))
                .unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap() == 0 {
                    return None;
                }
                head.extend(byte);
            }
            let open = head.starts_with(b"HTTP/1.1 101");
            open.then(|| WebSocket::from_raw_socket(stream, Role::Client, None))
        };
        let socket = tokio::task::spawn_blocking(connect).await.unwrap();
        socket.map(|socket| Feed {
            socket: Some(socket),
        })
    }
}

struct Feed {
    socket: Option<WebSocket<TcpStream>>,
}

impl Feed {
    async fn send(&mut self, message: &str) {
        let mut socket = self.socket.take().unwrap();
        let message = Message::text(message);
        let send = move || {
            socket.send(message).unwrap();
            socket
        };
        self.socket = Some(tokio::task::spawn_blocking(send).await.unwrap());
    }

    /// The next message; `None` when the server closed.
    async fn next(&mut self) -> Option<Value> {
        let mut socket = self.socket.take().unwrap();
        let read = move || loop {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    return (socket, Some(serde_json::from_str(&text).unwrap()));
                }
                Ok(Message::Close(_)) | Err(_) => return (socket, None),
                Ok(_) => {}
            }
        };
        let (socket, message) = tokio::task::spawn_blocking(read).await.unwrap();
        self.socket = Some(socket);
        message
    }
}

async fn create(site: &Site, name: &str) -> i64 {
    let caller = crate::platform::indigo::Caller::Plugin(site.fixture.plugin.clone());
    let arguments = json!({"protocol": "Plugin", "name": name, "deviceTypeId": "r"});
    let made = site
        .fixture
        .server
        .command(&caller, "device.create", arguments)
        .await;
    made.unwrap()["id"].as_i64().unwrap()
}

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
    // Pictures and styles of a page that the browser keeps apart, and of no other name.
    let image = format!("/{ID}/images/a.png");
    let apart = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(site.send("GET", &image, &apart, b"").await.status, 200);
    let renamed = [("Host", "evil.example")];
    assert_eq!(site.send("GET", &image, &renamed, b"").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_action_with_all_its_parts() {
    let site = site(|_, _| returned(json!("{\"a\": 1}"))).await;
    let bearer = format!("Bearer {KEY}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("X-Own", "v"),
        ("X-Own", "w"),
    ];
    let path = format!("/message/{ID}/api/path/to/some%20file.txt?a=1&b=x+y&b=z&api-key=other");
    let got = site.send("GET", &path, &headers, b"").await;
    assert_eq!((got.status, got.body.as_str()), (200, "{\"a\": 1}"));
    assert!(got.head.contains("content-type: application/json"));
    let (name, arguments) = site.fixture.calls().remove(0);
    assert_eq!(name, "plugin.api");
    assert_eq!(arguments["kind"], "http");
    assert_eq!(arguments["args"][1], Value::Null);
    assert_eq!(arguments["args"][2], true);
    let action = &arguments["args"][0];
    assert_eq!(action["class"], "indigo.PluginAction");
    assert_eq!(
        (&action["pluginId"], &action["pluginTypeId"]),
        (&json!(ID), &json!("api"))
    );
    assert_eq!(action["description"], "An API");
    let props = &action["props"];
    assert_eq!(props["incoming_request_method"], "GET");
    assert_eq!(props["file_path"], json!(["path", "to", "some file.txt"]));
    assert_eq!(
        props["url_query_args"],
        json!({"a": "1", "b": ["x y", "z"]})
    );
    assert_eq!(props["headers"]["x-own"], "v, w");
    // The key is not the plugin's business.
    assert!(props["headers"].get("authorization").is_none());
    assert!(!props.to_string().contains("api-key"));
    assert!(props.get("body_params").is_none() && props.get("request_body").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_and_bodies_are_told_apart() {
    let site = site(|_, _| returned(json!(""))).await;
    let path = format!("/message/{ID}/api?api-key={KEY}");
    let form = (
        "Content-Type",
        "application/x-www-form-urlencoded; charset=utf-8",
    );
    site.send("POST", &path, &[form], b"a=1&b=%C3%A4&b=2").await;
    let text = ("Content-Type", "application/json");
    site.send("POST", &path, &[text], b"{\"x\": 1}").await;
    site.send("POST", &path, &[text], b"").await;
    let refused = site.send("POST", &path, &[text], b"\xff").await;
    assert_eq!(refused.status, 400);
    let calls = site.fixture.calls();
    let props = |index: usize| calls[index].1["args"][0]["props"].clone();
    assert_eq!(
        props(0)["body_params"],
        json!({"a": "1", "b": ["\u{e4}", "2"]})
    );
    assert!(props(0).get("request_body").is_none());
    assert_eq!(props(1)["request_body"], "{\"x\": 1}");
    assert_eq!(props(1)["incoming_request_method"], "POST");
    assert!(props(1).get("body_params").is_none());
    assert!(props(2).get("request_body").is_none() && props(2).get("url_query_args").is_none());
    assert_eq!(calls.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_reply() {
    let cases = [
        (json!("text"), 200, "text", "content-type: application/json"),
        (
            json!({"content": "<b>x</b>", "headers": {"Content-Type": "text/html", "X-A": "1"}}),
            200,
            "<b>x</b>",
            "content-type: text/html",
        ),
        (
            json!({"status": 404, "content": "my page"}),
            404,
            "my page",
            "content-type: application/json",
        ),
        (json!({"status": "503"}), 503, "", "content-length: 0"),
        (
            json!({"status": 302, "headers": {"Location": "/x"}}),
            302,
            "",
            "location: /x",
        ),
        (json!({"content": {"a": [1]}}), 200, "{\"a\":[1]}", "200 ok"),
        (json!({"own": 1}), 200, "{\"own\":1}", "200 ok"),
        (json!([1, 2]), 200, "[1,2]", "200 ok"),
        (Value::Null, 200, "", "200 ok"),
    ];
    for (value, status, body, head) in cases {
        let answer = value.clone();
        let site = site(move |_, _| returned(answer.clone())).await;
        let got = site.page().await;
        assert_eq!((got.status, got.body.as_str()), (status, body), "{value}");
        assert!(got.head.contains(head), "{value}: {}", got.head);
        assert!(
            got.head.contains("content-security-policy: sandbox"),
            "{}",
            got.head
        );
        assert!(got.head.contains("x-content-type-options: nosniff"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_that_cannot_be_sent_are_errors() {
    for value in [
        json!({"status": 9999}),
        json!({"status": 100}),
        json!({"status": "x"}),
        json!({"status": 310}),
        json!({"headers": {"a\nb": "c"}}),
        json!({"headers": {"a": "b\r\nc: d"}}),
        json!({"headers": []}),
        json!({"file_path": 5}),
        json!({"file_path": "/etc/passwd"}),
        json!({"file_path": "/plugin/../../etc/passwd"}),
        json!({"file_path": "../../../../../../../etc/passwd"}),
        json!({"file_path": "/plugin/Contents/none"}),
        json!({"file_path": "/plugin"}),
        json!({"file_path": "/pluginx/a"}),
        json!({"file_path": ""}),
        json!({"file_path": "/proc/self/environ", "status": 310}),
    ] {
        let answer = value.clone();
        let site = site(move |_, _| returned(answer.clone())).await;
        let got = site.page().await;
        assert_eq!(got.status, 500, "{value}");
        assert_eq!(got.error(), "unknown_error", "{value}");
    }
    // Headers about the connection are left out.
    let site = site(|_, _| returned(json!({"content": "x", "headers": {"Content-Length": "99", "Transfer-Encoding": "chunked"}}))).await;
    assert_eq!(site.page().await.body, "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_streamed_from_the_plugins_own_folders() {
    for (path, status, expected, kind) in [
        (
            "/plugin/Contents/Resources/templates/t.html",
            310,
            "template",
            "text/html; charset=utf-8",
        ),
        ("../Resources/static/css/a.css", 200, "css", "text/css"),
        ("own.py", 404, "secret = 1", "text/"),
        ("/data/made.bin", 310, "made", "application/octet-stream"),
    ] {
        let answer = json!({"status": status, "file_path": path});
        let site = site(move |_, _| returned(answer.clone())).await;
        std::fs::write(site.fixture.plugin.data.join("made.bin"), "made").unwrap();
        let got = site.page().await;
        let status = if status == 310 { 200 } else { status };
        assert_eq!(
            (got.status, got.body.as_str()),
            (status, expected),
            "{path}"
        );
        assert!(
            got.head.contains(&format!("content-type: {kind}")),
            "{}",
            got.head
        );
        assert!(
            got.head
                .contains(&format!("content-length: {}", expected.len()))
        );
    }
    // A large one comes whole.
    let site = site(|_, _| {
        returned(json!({"file_path": "/data/large", "headers": {"Content-Type": "x/y"}}))
    })
    .await;
    let large = "0123456789".repeat(100_000);
    std::fs::write(site.fixture.plugin.data.join("large"), &large).unwrap();
    let got = site.page().await;
    assert!(got.body == large && got.head.contains("content-type: x/y"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_of_the_reference() {
    let site = site(|name, _| match name {
        "plugin.bad" => Some(Answer::Raised(
            json!({"type": "ValueError", "message": "no", "traceback": "Traceback: x"}),
        )),
        _ => Some(Answer::NotDefined),
    })
    .await;
    let bearer = format!("Bearer {KEY}");
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let path = format!("/message/{ID}/api/");
        let got = site
            .send(method, &path, &[("Authorization", &bearer)], b"")
            .await;
        assert_eq!(got.status, 405, "{method}");
        assert!(got.head.contains("allow: get, post"));
        assert_eq!(got.error(), "method_not_allowed");
    }
    for (path, status, word) in [
        ("/message/com.none/api/".to_owned(), 501, "invalid_plugin"),
        (format!("/message/{ID}/none/"), 501, "invalid_action"),
        (format!("/message/{ID}/text/"), 501, "invalid_action"),
        (format!("/message/{ID}/gone"), 501, "invalid_action"),
    ] {
        let got = site.get(&path).await;
        assert_eq!((got.status, got.error().as_str()), (status, word), "{path}");
        assert!(!got.json()["description"].as_str().unwrap().is_empty());
    }
    let got = site.get(&format!("/message/{ID}/bad")).await;
    assert_eq!((got.status, got.error().as_str()), (500, "unknown_error"));
    assert_eq!(got.json()["exception"], "Traceback: x");
    assert_eq!(got.json()["description"], "`bad` raised ValueError: no");
    let stopped = Fixture::with(&FILES, false, nothing).await;
    let site = serve(stopped, &config()).await;
    let got = site.page().await;
    assert_eq!((got.status, got.error().as_str()), (503, "plugin_disabled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_never_answers_holds_few_places_and_is_cut() {
    let fixture = Fixture::new(&FILES, |_, _| None).await;
    let site = serve_within(fixture, &config(), Duration::from_secs(3)).await;
    assert_eq!(message::DEADLINE, Duration::from_secs(20));
    let begun = std::time::Instant::now();
    let first = site.page();
    let others = async {
        let mut waiting = Vec::new();
        for _ in 1..message::MAX_WAITING {
            waiting.push(site.page());
        }
        // One more than there are places, once all the others wait.
        let late = async {
            loop {
                if site.fixture.calls.lock().unwrap().len() >= message::MAX_WAITING {
                    return site.page().await;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let (_, late) = tokio::join!(futures_util::future::join_all(waiting), late);
        late
    };
    let (cut, late) = tokio::join!(first, others);
    assert_eq!((late.status, late.error().as_str()), (503, "unknown_error"));
    assert_eq!((cut.status, cut.error().as_str()), (504, "unknown_error"));
    assert!(
        cut.json()["description"]
            .as_str()
            .unwrap()
            .contains("within 3 s")
    );
    assert!(begun.elapsed() >= Duration::from_secs(3));
    let places = message::Places::default();
    let place = places.take(ID).unwrap();
    drop(place);
    assert!(places.take(ID).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_and_queries_are_bounded() {
    let site = site(|_, _| returned(json!("ok"))).await;
    let path = format!("/message/{ID}/api?api-key={KEY}");
    let large = vec![b'x'; MAX_BODY + 1];
    let got = site
        .send("POST", &path, &[("Content-Type", "text/plain")], &large)
        .await;
    assert_eq!(got.status, 413);
    let most = vec![b'x'; MAX_BODY];
    let got = site
        .send("POST", &path, &[("Content-Type", "text/plain")], &most)
        .await;
    assert_eq!(got.status, 200);
    let long = format!("/message/{ID}/api?x={}", "y".repeat(parts::MAX_QUERY));
    assert_eq!(site.get(&long).await.status, 400);
    assert_eq!(site.fixture.names(), ["plugin.api"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_served_from_their_folders_only() {
    let site = site(nothing).await;
    let resources = site.fixture.plugin.bundle.resources.clone().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", resources.join("public/link")).unwrap();
    let image = site.get(&format!("/{ID}/images/a.png")).await;
    assert_eq!((image.status, image.body.as_str()), (200, "png"));
    assert!(image.head.contains("content-type: image/png"));
    let css = site.get(&format!("/{ID}/static/css/a.css")).await;
    assert_eq!(css.body, "css");
    let bearer = format!("Bearer {KEY}");
    let head = site
        .send("HEAD", &format!("/{ID}/public/p.txt"), &[], b"")
        .await;
    assert!(head.status == 200 && head.body.is_empty() && head.head.contains("content-length: 6"));
    let post = site
        .send("POST", &format!("/{ID}/public/p.txt"), &[], b"")
        .await;
    assert_eq!(post.status, 405);
    for path in [
        format!("/{ID}/templates/t.html"),
        format!("/{ID}/public/link"),
        format!("/{ID}/public/../templates/t.html"),
        format!("/{ID}/public/..%2Ftemplates%2Ft.html"),
        format!("/{ID}/public/%2Fetc%2Fpasswd"),
        format!("/{ID}/public/none"),
        format!("/{ID}/static/css"),
        "/com.none/public/p.txt".to_owned(),
    ] {
        let got = site
            .send("GET", &path, &[("Authorization", &bearer)], b"")
            .await;
        assert!(matches!(got.status, 404), "{path}: {}", got.status);
    }
}

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
    let caller = crate::platform::indigo::Caller::Operator("server");
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
    let caller = crate::platform::indigo::Caller::Operator("server");
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
    // As one sample of the manual does: encoded twice.
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
    for _ in 0..socket::MAX_CLIENTS {
        feeds.push(site.feed("device-feed").await.unwrap());
    }
    assert!(
        site.feed("device-feed").await.is_none(),
        "one more client than allowed"
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
    let caller = crate::platform::indigo::Caller::Operator("server");
    let server = &site.fixture.server;
    let made = server
        .command(&caller, "variable.create", json!({"name": "v"}))
        .await
        .unwrap();
    let id = made["id"].as_i64().unwrap();
    // More changes than the queue keeps, each larger than what the sockets buffer in all.
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
