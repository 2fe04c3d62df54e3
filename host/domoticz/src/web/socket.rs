//! The WebSocket `/json`: messages of plugins to browsers, and of browsers to plugins (rules 194 and
//! 195).
//!
//! A client follows plugins by their keys. It has one small queue and misses messages when it reads
//! too slowly. Browsers tell the origin of the page that connects; pages of others are refused
//! before.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, interval_at};

use super::{Answer, HubApi, admit, forbidden, keep_apart};
use crate::event::HubEvent;
use crate::topics::Follower;
use cordon_web::access::Rights;
use cordon_web::early::Reply;
use cordon_web::origin::Act;
use cordon_web::places::network_of;
use cordon_web::query::Query;
use cordon_web::server::Peer;

/// The subprotocol that clients of Domoticz ask for.
const PROTOCOL: &str = "domoticz";
/// Most bytes of the data of a command.
const MAX_DATA: usize = 65_536;
/// Largest message of a client; a longer one ends the connection.
const MAX_MESSAGE: usize = 2 * MAX_DATA;
/// Time between two signs of life. It is well under the time after which a silent connection ends.
const PING: Duration = Duration::from_secs(10);
/// How a topic begins; the key of the plugin follows.
const TOPIC: &str = "plugin:";
/// The words of Domoticz for a message that it cannot use.
const UNUSABLE: &str = "Internal Server Error!!";

/// Opens the socket.
pub(super) async fn open(
    State(api): State<HubApi>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Reply {
    // Commands come on this socket too. A browser cannot leave out the origin of the page that opens
    // one, so pages of others are known, which `Look` refuses.
    keep_apart(&api, &headers, &Method::GET, Act::Look)?;
    let query = Query::parse(&uri)
        .map_err(|reason| Answer::refused(reason).with_status(StatusCode::URI_TOO_LONG))?;
    let (caller, client) = admit(&api, &peer, &headers, &query)?;
    let Ok(upgrade) = upgrade else {
        let text = "this address takes WebSocket connections".to_owned();
        return Err(Answer::refused(text)
            .with_status(StatusCode::BAD_REQUEST)
            .into());
    };
    if cordon_web::origin::is_browser(&headers) && !headers.contains_key("origin") {
        let text = "a browser tells the origin of the page that opens a WebSocket".to_owned();
        return Err(forbidden(text).into());
    }
    let address: IpAddr = network_of(client.address);
    let Some(follower) = api.house.topics().join(address, &caller.name) else {
        let text = "too many browsers are connected; close one".to_owned();
        let answer = Answer::refused(text).with_status(StatusCode::SERVICE_UNAVAILABLE);
        return Err(answer.into());
    };
    let may_command = caller.rights >= Rights::User;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE);
    let serving = move |socket| serve(socket, api, follower, may_command);
    Ok(upgrade.on_upgrade(serving).into_response())
}

/// Serves a client until it is gone.
async fn serve(mut socket: WebSocket, api: HubApi, mut follower: Follower, may_command: bool) {
    let mut pings = interval_at(Instant::now() + PING, PING);
    loop {
        // Held until it is sent: the plugin pays for it.
        let mut paid = None;
        let said = tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => {
                    let answer = answer(&api, &follower, may_command, &text);
                    Message::Text(answer.to_string().into())
                }
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            message = follower.next() => match message {
                Some(message) => {
                    let text = Message::Text(message.text().into());
                    paid = Some(message);
                    text
                }
                None => return,
            },
            _ = pings.tick() => Message::Ping(Default::default()),
        };
        if socket.send(said).await.is_err() {
            return;
        }
        drop(paid);
    }
}

/// The answer to a client's message, of which there is always one.
fn answer(api: &HubApi, follower: &Follower, may_command: bool, text: &str) -> Value {
    let message: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let word = |name: &str| message.get(name).and_then(Value::as_str);
    let id = message
        .get("requestid")
        .filter(|id| !id.is_object() && !id.is_array());
    match word("event") {
        Some("subscribe") => followed(id, "subscribe", word("topic"), |key| follower.follow(key)),
        Some("unsubscribe") => followed(id, "unsubscribe", word("topic"), |key| {
            follower.leave(key);
            true
        }),
        Some("plugin_command") => command(api, &message, may_command),
        _ => refused(id, UNUSABLE),
    }
}

fn followed(
    id: Option<&Value>,
    request: &str,
    topic: Option<&str>,
    change: impl FnOnce(&str) -> bool,
) -> Value {
    let key = topic.and_then(|topic| topic.strip_prefix(TOPIC));
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return refused(id, "this hub has topics `plugin:KEY`");
    };
    if !change(key) {
        return refused(id, "the topic is too long, or one too many");
    }
    json!({"event": format!("{request}d"), "request": request, "requestid": id})
}

fn refused(id: Option<&Value>, error: &str) -> Value {
    match id {
        Some(id) => json!({"event": "response", "requestid": id, "error": error}),
        None => json!({"event": "response", "error": error}),
    }
}

/// Gives a message to the running instances of a plugin, or to one of them.
fn command(api: &HubApi, message: &Map<String, Value>, may_command: bool) -> Value {
    let key = message.get("plugin").and_then(Value::as_str);
    let key = key.filter(|key| !key.is_empty());
    let (Some(key), Some(data)) = (key, message.get("data")) else {
        return refused(None, UNUSABLE);
    };
    let acknowledged = |delivered: usize, error: Option<&str>| {
        let mut answer = json!({
            "event": "plugin_command_ack", "plugin": key, "delivered": delivered,
        });
        if let (Some(answer), Some(error)) = (answer.as_object_mut(), error) {
            answer.insert("error".to_owned(), error.into());
        }
        answer
    };
    if !may_command {
        return acknowledged(0, Some("Forbidden"));
    }
    let data = match data {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if data.len() > MAX_DATA {
        return acknowledged(0, Some("Payload too large"));
    }
    let only = message.get("hwid");
    let named = api
        .plugins
        .hardware()
        .into_iter()
        .filter(|it| it.key == key);
    let wanted = named.filter(|it| only.is_none_or(|id| id.as_u64() == Some(u64::from(it.id))));
    let told = wanted.filter(|hardware| {
        let event = HubEvent::WebSocketMessage(data.clone());
        api.plugins.deliver(hardware.id, event).is_ok()
    });
    acknowledged(told.count(), None)
}
