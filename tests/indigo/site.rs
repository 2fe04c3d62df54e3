//! The HTTP API in front of a stage, and a client of it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use cordon_indigo::web::{IndigoApi, IndigoApiConfig, KeyConfig};
use cordon_web::config::WebConfig;
use serde_json::Value;
use tokio::net::TcpListener;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::stage::Stage;
use crate::support::PATIENCE;

/// The key that opens everything.
pub const KEY: &str = "the key of these tests";

pub struct Site {
    pub address: SocketAddr,
    feeds: HashMap<String, WebSocket<TcpStream>>,
}

/// The answer to a client.
#[derive(Debug, Clone)]
pub struct Got {
    pub status: u16,
    /// Content type; empty for none.
    pub kind: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    /// The body as JSON, or as text where it is none.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| self.body.clone().into())
    }
}

impl Site {
    /// Serves the API of a stage's server.
    pub async fn open(stage: &mut Stage) -> Self {
        let server = stage.server().await;
        server.ready();
        let config = IndigoApiConfig {
            keys: vec![KeyConfig {
                name: "tests".to_owned(),
                key: KEY.to_owned(),
                plugins: Vec::new(),
                rights: cordon_web::access::Rights::Admin,
            }],
            ..IndigoApiConfig::default()
        };
        let web = WebConfig::default();
        let access = cordon_web::access::Access::new(&web, cordon_indigo::web::REALM);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let api = IndigoApi::new(
            server,
            &config,
            access,
            cordon_web::origin::Origins::new(&web, address),
        );
        let router = cordon_indigo::web::router(api);
        tokio::spawn(async move {
            cordon_web::server::serve(listener, router, std::future::pending()).await
        });
        Self {
            address,
            feeds: HashMap::new(),
        }
    }

    /// Sends a request with these headers.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<String>,
    ) -> Got {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let asking = move || {
            let config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .allow_non_standard_methods(true)
                .build();
            let agent: ureq::Agent = config.into();
            let mut answer = match body {
                Some(body) => agent.run(request.body(body).unwrap()),
                None => agent.run(request.body(()).unwrap()),
            }
            .unwrap();
            let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
            let headers = answer.headers().iter();
            let headers: Vec<_> = headers
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect();
            let kind = answer.headers().get("content-type").map(text);
            Got {
                status: answer.status().as_u16(),
                kind: kind.unwrap_or_default(),
                headers,
                body: {
                    let bytes = answer.body_mut().read_to_vec().unwrap();
                    String::from_utf8_lossy(&bytes).into_owned()
                },
            }
        };
        tokio::task::spawn_blocking(asking).await.unwrap()
    }

    /// Sends a message to a feed, which is opened at the first one.
    pub async fn tell(&mut self, feed: &str, message: Option<&Value>) {
        let mut socket = match self.feeds.remove(feed) {
            Some(socket) => socket,
            None => connect(self.address, feed.to_owned()).await,
        };
        if let Some(message) = message {
            socket.send(Message::text(message.to_string())).unwrap();
        }
        self.feeds.insert(feed.to_owned(), socket);
    }

    /// The first message of a feed that this says yes to; the others are passed over.
    pub async fn hear(&mut self, feed: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut passed = Vec::new();
        let end = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < end {
            let mut socket = self.feeds.remove(feed).expect("the feed is open");
            let read = move || {
                let message = socket.read();
                (socket, message)
            };
            let (socket, message) = tokio::task::spawn_blocking(read).await.unwrap();
            self.feeds.insert(feed.to_owned(), socket);
            match message {
                Ok(Message::Text(text)) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if wanted(&message) {
                        return message;
                    }
                    passed.push(message);
                }
                Ok(Message::Close(_)) => break,
                Ok(_) => {}
                Err(_) => break,
            }
        }
        panic!("{feed} sent {passed:#?}");
    }
}

/// Status, content type and body of the answer to a request with the key; a text is a form.
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

async fn connect(address: SocketAddr, feed: String) -> WebSocket<TcpStream> {
    let request = format!(
        "GET /v2/api/ws/{feed} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let connecting = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).unwrap(), 1, "{feed} was refused");
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101"), "{feed}: {head}");
        WebSocket::from_raw_socket(stream, Role::Client, None)
    };
    tokio::task::spawn_blocking(connecting).await.unwrap()
}
