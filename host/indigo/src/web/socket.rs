//! `/v2/api/ws/...-feed`: changes as they happen, and commands, over WebSocket.
//!
//! A client that reads too slowly misses changes. It is told so, and its connection is closed,
//! because a patch on an object that is out of date is worth nothing. A line of the log is worth as
//! much without the earlier ones, so a client of the log is only told how many lines it missed.
//! Nothing is kept for a client beyond the server's own queue.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, interval_at};

use super::admission::Asked;
use super::answer::{Reply, error};
use super::intake::{self, Refused};
use super::keys::Wanted;
use super::lens::Lens;
use super::patch::patch;
use super::room::{Full, Said, Sheet, count};
use super::seats::Seat;
use super::{IndigoApi, command};
use crate::bounds::SMALL;
use crate::caller::Caller;
use crate::event_line;
use crate::object::Object;
use crate::table::Collection;
use crate::view::view;
use crate::{Change, IndigoServer, Watcher, What};
use cordon_base::log::{Followed, Follower, Level, LogFilter, Record};
use cordon_web::budget::Share;
use cordon_web::places::network_of;

/// Clients at a time.
pub(super) const MAX_CLIENTS: usize = 16;
/// Clients of one address among them, and of one user.
pub(super) const MAX_EACH: usize = 8;
/// Largest message of a client in bytes.
pub(super) const MAX_MESSAGE: usize = 64 << 10;
/// Time between two signs of life. It is well under the time after which a silent connection ends.
const PING: Duration = Duration::from_secs(10);
/// Lines of the log that a new client of its feed gets.
const LOG_LINES: usize = 25;
/// Close code: come back later.
const TRY_AGAIN: u16 = 1013;

/// The feeds: name, class of the items, and the collection that the feed is about; none for the
/// log.
const FEEDS: [(&str, &str, Option<Collection>); 7] = [
    ("device-feed", "indigo.Device", Some(Collection::Devices)),
    (
        "variable-feed",
        "indigo.Variable",
        Some(Collection::Variables),
    ),
    (
        "action-feed",
        "indigo.ActionGroup",
        Some(Collection::ActionGroups),
    ),
    (
        "schedule-feed",
        "indigo.Schedule",
        Some(Collection::Schedules),
    ),
    ("trigger-feed", "indigo.Trigger", Some(Collection::Triggers)),
    (
        "page-feed",
        "indigo.ControlPage",
        Some(Collection::ControlPages),
    ),
    ("log-feed", "indigo.LogEvent", None),
];

/// Opens a feed.
pub(super) async fn open(
    State(api): State<IndigoApi>,
    Path(name): Path<String>,
    asked: Asked,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Reply {
    let rights = api.admit(&asked, Wanted::Look, "GET")?;
    let Some((_, kind, collection)) = FEEDS.iter().find(|(known, ..)| *known == name) else {
        return Err(error(StatusCode::NOT_FOUND, "not_found", "there is no such feed").into());
    };
    let Ok(upgrade) = upgrade else {
        let text = "this address takes WebSocket connections";
        return Err(error(StatusCode::BAD_REQUEST, "no_websocket", text).into());
    };
    let address = network_of(asked.client(&api.access));
    let of_user = api.listeners.take(asked.sender(&api.access));
    let Some(place) = api.sockets.take(address).zip(of_user) else {
        let text = format!(
            "{MAX_CLIENTS} clients are connected already, or {MAX_EACH} of this address or user"
        );
        return Err(error(StatusCode::SERVICE_UNAVAILABLE, "too_many_clients", &text).into());
    };
    let client = Client {
        server: Arc::clone(&api.server),
        kind,
        collection: *collection,
        may_operate: rights >= Wanted::Operate.rights(),
        lens: Lens::new(&api.server, rights),
        share: api.share(&asked),
        caller: Caller::client("api-websocket", &asked.sender(&api.access)),
    };
    Ok(upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| serve(socket, client, place)))
}

/// A connected client and its feed.
struct Client {
    server: Arc<IndigoServer>,
    /// The class of the feed's items.
    kind: &'static str,
    /// The objects that its feed is about; none for the log.
    collection: Option<Collection>,
    may_operate: bool,
    lens: Lens,
    /// Of the room for long requests and answers.
    share: Share,
    /// Who gives commands here.
    caller: Caller,
}

async fn serve(mut socket: WebSocket, client: Client, _place: (Seat<IpAddr>, Seat<String>)) {
    let client = Arc::new(client);
    let ended = match client.collection {
        Some(collection) => objects(&mut socket, &client, collection).await,
        None => log(&mut socket, &client).await,
    };
    if let Err(Ended::Missed(count)) = ended {
        let reason = format!("{count} messages were missed; connect and refresh again");
        let frame = CloseFrame {
            code: TRY_AGAIN,
            reason: reason.into(),
        };
        let _ = socket.send(Message::Close(Some(frame))).await;
    }
}

/// The reason why a connection is over.
enum Ended {
    /// The client is gone.
    Gone,
    /// The client was too slow.
    Missed(u64),
}

impl From<axum::Error> for Ended {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}

/// A source of news for a client, which come one after the other.
trait News {
    type Item: Send;

    /// The next news. May be given up without losing one.
    fn next(&mut self) -> impl Future<Output = Result<Self::Item, RecvError>> + Send;
}

impl News for Follower {
    type Item = Arc<Record>;

    async fn next(&mut self) -> Result<Arc<Record>, RecvError> {
        match Follower::next(self).await {
            Some(Followed::Record(record)) => Ok(record),
            Some(Followed::Missed(count)) => Err(RecvError::Lagged(count)),
            None => Err(RecvError::Closed),
        }
    }
}

impl News for Watcher {
    type Item = Arc<Change>;

    async fn next(&mut self) -> Result<Arc<Change>, RecvError> {
        self.recv().await
    }
}

/// Tells a client the news and answers its messages, until client or server ends the connection.
async fn follow<N, T>(
    socket: &mut WebSocket,
    client: &Arc<Client>,
    mut news: N,
    told: impl Fn(N::Item) -> T,
    missed: impl Fn(u64) -> Option<String>,
) -> Result<(), Ended>
where
    N: News,
    T: Future<Output = Result<Option<Said>, Ended>>,
{
    let mut pings = interval_at(Instant::now() + PING, PING);
    loop {
        tokio::select! {
            received = socket.recv() => {
                let answer = received_by(client, received).await?;
                send(socket, answer).await?;
            }
            happened = news.next() => match happened {
                Ok(happened) => {
                    let message = told(happened).await?;
                    send(socket, message).await?;
                }
                Err(RecvError::Lagged(count)) => match missed(count) {
                    Some(told) => send(socket, Some(told.into())).await?,
                    None => return Err(Ended::Missed(count)),
                },
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = pings.tick() => socket.send(Message::Ping(Default::default())).await?,
        }
    }
}

/// How many times the memory of an object and of its earlier version is there while clients are
/// told of the change: as clients see it, as a patch, and as text.
const COPIES: u64 = 5;

async fn objects(
    socket: &mut WebSocket,
    client: &Arc<Client>,
    collection: Collection,
) -> Result<(), Ended> {
    let changes = client.server.changes(collection.objects());
    let told = |change: Arc<Change>| async move {
        if change.memory <= SMALL {
            return Ok(client.told(&change).map(Said::from));
        }
        // Clients may be slow to read it.
        let bytes = change.memory.saturating_mul(COPIES);
        let Ok(room) = client.share.take_now(count(bytes)) else {
            return Err(Ended::Missed(1));
        };
        // The cost is billed to whoever made the change, but the work does not wait behind that
        // plugin's commands.
        let doer = change.by.plugin.as_ref();
        let account = Arc::clone(doer.map_or(client.server.own_account(), |it| &it.account));
        let told = Arc::clone(client);
        let feeds = &client.server.pools().feeds;
        let made = feeds.run(&account, move || told.told(&change));
        let message = made.await.ok().flatten();
        Ok(message.map(|text| Said::within(text, room)))
    };
    // A client that has missed a change knows nothing for sure.
    follow(socket, client, changes, told, |_| None).await
}

async fn log(socket: &mut WebSocket, client: &Arc<Client>) -> Result<(), Ended> {
    let events = client.server.events();
    let Some(lines) = events.follow(&LogFilter::default(), LOG_LINES) else {
        let text = "too many others follow the log; connect again in a moment";
        return send(socket, Some(left_out(text).into())).await;
    };
    let missed = |count| {
        let text = format!("{count} lines are left out here; getlog has them");
        Some(left_out(&text))
    };
    let told = |record: Arc<Record>| async move { Ok(Some(line(&record).into())) };
    follow(socket, client, lines, told, missed).await
}

/// The answer to a client's message.
async fn received_by(
    client: &Arc<Client>,
    received: Option<Result<Message, axum::Error>>,
) -> Result<Option<Said>, Ended> {
    match received {
        Some(Ok(Message::Text(text))) => Ok(answer(client, &text).await),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Ended::Gone),
        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => Ok(None),
    }
}

/// Sends a message. It is text already, because it may be as large as plugins make their objects.
async fn send(socket: &mut WebSocket, message: Option<Said>) -> Result<(), Ended> {
    if let Some(message) = message {
        let (text, _room) = message.take();
        socket.send(Message::Text(Utf8Bytes::from(text))).await?;
    }
    Ok(())
}

impl Client {
    /// The message to clients about a change; none when the change does not concern them.
    fn told(&self, change: &Change) -> Option<String> {
        self.message(change).map(|message| message.to_string())
    }

    fn message(&self, change: &Change) -> Option<Value> {
        let (kind, lens) = (self.kind, &self.lens);
        let add = |object| {
            let message = json!({"message": "add", "objectType": kind});
            with(message, "objectDict", lens.of(object))
        };
        let delete = |id: i64| json!({"message": "delete", "objectType": kind, "objectId": id});
        match &change.what {
            What::Created(object) => Some(add(object)),
            What::Deleted(object) => Some(delete(object.id)),
            What::Updated { old, new } => {
                match (old.flag("remoteDisplay"), new.flag("remoteDisplay")) {
                    (false, true) => Some(add(new)),
                    (true, false) => Some(delete(new.id)),
                    _ => {
                        let patch = patch(&lens.of(old), &lens.of(new));
                        let message =
                            json!({"message": "patch", "objectType": kind, "objectId": new.id});
                        (!patch.is_empty()).then(|| with(message, "patch", Value::Array(patch)))
                    }
                }
            }
        }
    }

    /// The objects that a client wants to see again.
    fn refreshed(&self, collection: Collection, message: &Map<String, Value>) -> Said {
        let id = message.get("id").cloned().unwrap_or(Value::Null);
        let refreshed = self.refresh(collection, message, &id);
        refreshed.unwrap_or_else(|mut refused| {
            refused.insert("id".to_owned(), id);
            Value::Object(refused).to_string().into()
        })
    }

    /// The objects that a client wants to see again, or the complaints about its message.
    fn refresh(
        &self,
        collection: Collection,
        message: &Map<String, Value>,
        id: &Value,
    ) -> Result<Said, Map<String, Value>> {
        let (server, kind) = (&self.server, self.kind);
        let folders = format!("{kind}.Folder");
        let wanted = message.get("objectType").and_then(Value::as_str);
        let (table, kind) = match wanted {
            Some(wanted) if wanted == folders => (collection.folders(), folders.as_str()),
            None => (collection.objects(), kind),
            Some(wanted) if wanted == kind => (collection.objects(), kind),
            Some(_) => {
                let text = format!("this feed has {kind} and {folders}");
                return Err(invalid("objectType", &text));
            }
        };
        let one = message.get("objectId").filter(|one| !one.is_null());
        let objects = {
            let database = server.database();
            match one {
                None => database.measured(table),
                Some(one) => {
                    let found = one.as_i64().and_then(|one| database.any(one));
                    let found = found.filter(|it| it.table == table);
                    let sized = |it: &Arc<Object>| (Arc::clone(it), database.size(it.id));
                    found.map(sized).into_iter().collect()
                }
            }
        };
        let shown = objects.iter().filter(|(object, _)| Lens::shows(object));
        if one.is_some() && shown.clone().next().is_none() {
            return Err(invalid("objectId", "there is no such object"));
        }
        let key = if one.is_some() { "objectDict" } else { "list" };
        let start = json!({"id": id, "message": "refresh", "objectType": kind}).to_string();
        let start = start.strip_suffix('}').unwrap_or_default();
        let write = || {
            let mut sheet = Sheet::of(&self.share)?;
            sheet.mark(&format!("{start},\"{key}\":"));
            sheet.values(one.is_none(), shown, |(object, size)| {
                let see = || match table.folders {
                    true => view(object, None),
                    false => self.lens.of(object),
                };
                (size.shown(), see)
            })?;
            sheet.mark("}");
            Ok(sheet.said())
        };
        write().map_err(|Full| Map::from_iter([("error".to_owned(), Full::TEXT.into())]))
    }
}

/// A message with one value more. The value is not copied.
fn with(mut message: Value, key: &str, value: Value) -> Value {
    if let Some(message) = message.as_object_mut() {
        message.insert(key.to_owned(), value);
    }
    message
}

/// The complaint about a message that asks for objects.
fn invalid(key: &str, text: &str) -> Map<String, Value> {
    Map::from_iter([
        ("error".to_owned(), "invalid refresh".into()),
        ("validationErrors".to_owned(), json!({ key: text })),
    ])
}

/// The answer to a client's message. A command that was carried out has none, because its change
/// comes as a patch.
async fn answer(client: &Arc<Client>, text: &str) -> Option<Said> {
    let read = |text: &str| intake::read(&client.share, text.as_bytes());
    let parsed = match read(text) {
        // One sample of the manual encodes twice.
        Ok((Value::String(inner), _)) => read(&inner),
        other => other,
    };
    let (message, _room) = match parsed {
        Ok((Value::Object(message), room)) => (message, room),
        Err(Refused::Full) => return Some(json!({"error": Full::TEXT}).to_string().into()),
        Ok(_) | Err(Refused::Wrong(_)) => {
            let refused = command::invalid(text.as_bytes());
            return Some(refused.to_string().into());
        }
    };
    let refresh = message.get("message").and_then(Value::as_str) == Some("refresh");
    if let Some(collection) = client.collection
        && refresh
    {
        let server = &client.server;
        let shown = Arc::clone(client);
        let refreshed = server.pools().feeds.run(server.own_account(), move || {
            shown.refreshed(collection, &message)
        });
        return refreshed.await.ok();
    }
    if !client.may_operate {
        let id = message.get("id").cloned().unwrap_or(Value::Null);
        let refused = json!({"error": "whoever is connected here may give no commands", "id": id});
        return Some(refused.to_string().into());
    }
    let refused = command::run(&client.server, &message, &client.caller)
        .await
        .err();
    refused.map(|refused| refused.body.to_string().into())
}

fn line(record: &Record) -> String {
    // A line of a client begins with the word for clients, which is its type here.
    let of_client = record.client.then(|| record.text.split_once(": "));
    let of_client = of_client
        .flatten()
        .filter(|(kind, _)| kind.starts_with("API"));
    match of_client {
        Some((kind, text)) => {
            let title = format!("{kind}{}", event_line::suffix(record.level));
            event(record.time, &title, record.level, text)
        }
        None => event(
            record.time,
            &event_line::title(record),
            record.level,
            &record.text,
        ),
    }
}

/// A line of the hub for a client that has missed some.
fn left_out(text: &str) -> String {
    event(Timestamp::now(), "Application", Level::Warning, text)
}

fn event(time: Timestamp, title: &str, level: Level, text: &str) -> String {
    let event = json!({"message": "add", "objectType": "indigo.LogEvent", "objectDict": {
        "message": text,
        "timeStamp": local(time),
        "typeStr": title,
        "typeVal": event_line::number(level),
        "level": event_line::level(level),
        "color": event_line::color(level),
        "objectType": "indigo.LogEvent",
    }});
    event.to_string()
}

fn local(time: Timestamp) -> String {
    let time = time.to_zoned(jiff::tz::TimeZone::system());
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}
