//! Tests over real loopback sockets, with a plugin of closures.

mod browsers;
mod dialogs;
mod feeds;
mod keys;
mod login;
mod objects;
mod pages;
mod strangers;
mod values;
mod webhooks;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use super::*;
use crate::Answer;
use crate::fixture::{Fixture, ID};
use cordon_base::log::Level;

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
    budget: Budget,
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
        rights: cordon_web::access::Rights::Admin,
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
    let (listener, mut api) = listen(&fixture, config, USERS).await;
    api.deadline = deadline;
    served(fixture, listener, api)
}

/// Serves a fixture with this section `[web]`.
async fn serve_with(fixture: Fixture, config: &IndigoApiConfig, web: &str) -> Site {
    let (listener, api) = listen(&fixture, config, web).await;
    served(fixture, listener, api)
}

async fn listen(
    fixture: &Fixture,
    config: &IndigoApiConfig,
    web: &str,
) -> (TcpListener, IndigoApi) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = toml::from_str(web).unwrap();
    let origins = Origins::new(&web, listener.local_addr().unwrap());
    let server = fixture.server.clone();
    let access = Access::new(&web, REALM).with_log(server.events().clone());
    let api = IndigoApi::new(server, config, access, origins);
    (listener, api)
}

fn served(fixture: Fixture, listener: TcpListener, api: IndigoApi) -> Site {
    let address = listener.local_addr().unwrap();
    let budget = api.budget.clone();
    let router = router(api);
    tokio::spawn(async move {
        cordon_web::server::serve(listener, router, std::future::pending()).await
    });
    Site {
        fixture,
        address,
        budget,
    }
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
            // A server that answers early may close the connection before all is written.
            let _ = stream.write_all(&bytes);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
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

    /// The answer of the plugin's `api`, over HTTP.
    async fn page(&self) -> Got {
        self.get(&format!("/message/{ID}/api/")).await
    }

    /// Opens a WebSocket.
    async fn feed(&self, name: &str) -> Option<Feed> {
        self.feed_with(name, &format!("Bearer {KEY}")).await
    }

    /// Opens a WebSocket with this header `Authorization`.
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
    let caller = crate::Caller::Plugin(site.fixture.plugin.clone());
    let arguments = json!({"protocol": "Plugin", "name": name, "deviceTypeId": "r"});
    let made = site
        .fixture
        .server
        .command(&caller, "device.create", arguments)
        .await;
    made.unwrap()["id"].as_i64().unwrap()
}
