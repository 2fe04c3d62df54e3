//! Commands of clients, over HTTP and over WebSocket: only those that the API documents.
//!
//! A key may operate the house. It may not add or remove objects.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::admission::{Asked, Sent};
use super::answer::{Reply, json_answer};
use super::keys::Wanted;
use super::room::{Full, Sheet};
use super::{IndigoApi, intake};
use crate::bounds::{SMALL, footprint};
use crate::caller::Caller;
use crate::failure::{Failure, FailureKind};
use crate::object::weight;
use crate::server::IndigoServer;
use crate::table::Collection;
use cordon_web::budget::Share;

/// How long a command may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Bytes of a message that is no JSON which the answer repeats.
const ECHO: usize = 1024;

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Number,
    Whole,
    Flag,
    Text,
    Minutes,
    /// A member of this enumeration, with or without its name in front.
    Member(&'static str),
}

/// A parameter: its name, its type, whether it has to be given.
type Parameter = (&'static str, Kind, bool);

const TIMED: &[Parameter] = &[
    ("delay", Kind::Number, false),
    ("duration", Kind::Number, false),
];
const STEP: &[Parameter] = &[("by", Kind::Whole, false), ("delay", Kind::Number, false)];
const LEVEL: &[Parameter] = &[("value", Kind::Whole, true), ("delay", Kind::Number, false)];
const COLORS: &[Parameter] = &[
    ("redLevel", Kind::Number, false),
    ("greenLevel", Kind::Number, false),
    ("blueLevel", Kind::Number, false),
    ("whiteLevel", Kind::Number, false),
    ("whiteLevel2", Kind::Number, false),
    ("whiteTemperature", Kind::Number, false),
    ("delay", Kind::Number, false),
];
const DELTA: &[Parameter] = &[("delta", Kind::Number, false)];
const SETPOINT: &[Parameter] = &[("value", Kind::Number, true)];
const ENABLE: &[Parameter] = &[("value", Kind::Flag, false)];
const EXECUTE: &[Parameter] = &[("ignoreConditions", Kind::Flag, false)];

/// The commands about an object: name behind `indigo.`, collection, parameters.
const COMMANDS: &[(&str, Collection, &[Parameter])] = &[
    ("device.statusRequest", Collection::Devices, &[]),
    ("device.toggle", Collection::Devices, TIMED),
    ("device.turnOff", Collection::Devices, TIMED),
    ("device.turnOn", Collection::Devices, TIMED),
    ("device.lock", Collection::Devices, TIMED),
    ("device.unlock", Collection::Devices, TIMED),
    ("device.enable", Collection::Devices, ENABLE),
    ("dimmer.brighten", Collection::Devices, STEP),
    ("dimmer.dim", Collection::Devices, STEP),
    ("dimmer.setBrightness", Collection::Devices, LEVEL),
    ("dimmer.setColorLevels", Collection::Devices, COLORS),
    (
        "iodevice.setBinaryOutput",
        Collection::Devices,
        &[("index", Kind::Whole, true), ("value", Kind::Flag, true)],
    ),
    (
        "sensor.setOnState",
        Collection::Devices,
        &[("value", Kind::Flag, true)],
    ),
    ("speedcontrol.decreaseSpeedIndex", Collection::Devices, STEP),
    ("speedcontrol.increaseSpeedIndex", Collection::Devices, STEP),
    ("speedcontrol.setSpeedIndex", Collection::Devices, LEVEL),
    ("speedcontrol.setSpeedLevel", Collection::Devices, LEVEL),
    ("sprinkler.nextZone", Collection::Devices, &[]),
    ("sprinkler.pause", Collection::Devices, &[]),
    ("sprinkler.previousZone", Collection::Devices, &[]),
    ("sprinkler.resume", Collection::Devices, &[]),
    (
        "sprinkler.run",
        Collection::Devices,
        &[("schedule", Kind::Minutes, true)],
    ),
    ("sprinkler.stop", Collection::Devices, &[]),
    (
        "sprinkler.setActiveZone",
        Collection::Devices,
        &[("index", Kind::Whole, true)],
    ),
    (
        "thermostat.decreaseCoolSetpoint",
        Collection::Devices,
        DELTA,
    ),
    (
        "thermostat.decreaseHeatSetpoint",
        Collection::Devices,
        DELTA,
    ),
    (
        "thermostat.increaseCoolSetpoint",
        Collection::Devices,
        DELTA,
    ),
    (
        "thermostat.increaseHeatSetpoint",
        Collection::Devices,
        DELTA,
    ),
    ("thermostat.setCoolSetpoint", Collection::Devices, SETPOINT),
    ("thermostat.setHeatSetpoint", Collection::Devices, SETPOINT),
    (
        "thermostat.setFanMode",
        Collection::Devices,
        &[("value", Kind::Member("kFanMode"), true)],
    ),
    (
        "thermostat.setHvacMode",
        Collection::Devices,
        &[("value", Kind::Member("kHvacMode"), true)],
    ),
    (
        "variable.updateValue",
        Collection::Variables,
        &[("value", Kind::Text, true)],
    ),
    ("actionGroup.execute", Collection::ActionGroups, &[]),
    ("schedule.execute", Collection::Schedules, EXECUTE),
    ("schedule.enable", Collection::Schedules, ENABLE),
    ("trigger.execute", Collection::Triggers, EXECUTE),
    ("trigger.enable", Collection::Triggers, ENABLE),
];

/// A command that was not carried out.
pub(super) struct Refused {
    pub status: StatusCode,
    /// The message for the client.
    pub body: Value,
}

/// `POST /v2/api/command`.
pub(super) async fn post(State(api): State<IndigoApi>, asked: Asked, sent: Sent) -> Reply {
    api.admit(&asked, Wanted::Operate, "POST")?;
    let share = api.share(&asked);
    let sent = sent.bytes(&share).await?;
    let (message, room) = match api.read(&share, sent.clone()).await {
        Ok((Value::Object(message), room)) => (message, room),
        Err(intake::Refused::Full) => return Err(Full.into()),
        Ok(_) | Err(intake::Refused::Wrong(_)) => {
            let body = invalid(&sent);
            return Err(json_answer(StatusCode::BAD_REQUEST, &body).into());
        }
    };
    drop(sent);
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    let server = Arc::clone(&api.server);
    let caller = Caller::client("api-http", &asked.sender(&api.access));
    let doing = async move { run(&server, &message, &caller).await };
    let result = api.apart(room.as_ref(), doing).await?;
    let result = result.map_err(|refused| json_answer(refused.status, &refused.body))?;
    let start = format!("{{\"success\":true,\"id\":{id},\"result\":");
    written(&api, &share, start, result).await
}

/// The answer to a message that is no JSON: it repeats the beginning.
pub(super) fn invalid(sent: &[u8]) -> Value {
    let text = String::from_utf8_lossy(sent.get(..ECHO).unwrap_or(sent));
    json!({"request_body": text, "error": "invalid JSON"})
}

/// The answer with the result of a command, which may be as large as plugins make their objects. It
/// is written on a thread that serves nobody else. `start` is the text before the result.
pub(super) async fn written(api: &IndigoApi, share: &Share, start: String, result: Value) -> Reply {
    let bytes = footprint(&result).saturating_add(weight(&result));
    let mut sheet = Sheet::of(share)?;
    sheet.mark(&start);
    let write = move || {
        sheet.value(bytes, || result)?;
        sheet.mark("}");
        Ok::<_, Full>(sheet)
    };
    let sheet = if bytes <= SMALL {
        write()?
    } else {
        let server = &api.server;
        let written = server.pools().feeds.run(server.own_account(), write);
        written.await.unwrap_or(Err(Full))?
    };
    Ok(sheet.answer(StatusCode::OK))
}

/// Carries out the command of a message.
pub(super) async fn run(
    server: &Arc<IndigoServer>,
    message: &Map<String, Value>,
    caller: &Caller,
) -> Result<Value, Refused> {
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    let (command, arguments) = understood(server, message).map_err(|errors| {
        let shown = match &id {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let text = format!("invalid command payload received, id: {shown}");
        Refused {
            status: StatusCode::BAD_REQUEST,
            body: json!({"validationErrors": errors, "error": text, "id": id}),
        }
    })?;
    let done = carry_out(server, caller, &command, arguments).await;
    done.map_err(|failure| Refused {
        status: status(failure.kind),
        body: json!({"error": failure.message, "id": id}),
    })
}

/// Carries out a command of the server within [`DEADLINE`].
pub(crate) async fn carry_out(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    command: &str,
    arguments: Value,
) -> Result<Value, Failure> {
    let doing = server.command(caller, command, arguments);
    tokio::time::timeout(DEADLINE, doing)
        .await
        .unwrap_or_else(|_| {
            let text = format!("it took longer than {} s", DEADLINE.as_secs());
            Err(Failure::new(FailureKind::Timeout, text))
        })
}

/// The status of the answer when a command failed with this kind of failure.
pub(super) fn status(kind: FailureKind) -> StatusCode {
    match kind {
        FailureKind::Value | FailureKind::Index | FailureKind::Type => StatusCode::BAD_REQUEST,
        FailureKind::Key | FailureKind::Plugin => StatusCode::NOT_FOUND,
        FailureKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FailureKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        FailureKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        FailureKind::Limit | FailureKind::Other => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The server's command and its arguments. The error holds the complaints about the message, by
/// key.
fn understood(
    server: &IndigoServer,
    message: &Map<String, Value>,
) -> Result<(String, Value), Map<String, Value>> {
    let mut errors = Map::new();
    let mut wrong = |key: &str, text: String| drop(errors.insert(key.to_owned(), text.into()));
    let Some(Value::String(name)) = message.get("message") else {
        wrong(
            "message",
            "a text with the name of the command is needed".to_owned(),
        );
        return Err(errors);
    };
    match name.as_str() {
        "indigo.server.log" => return log(message),
        "plugin.restart" | "plugin.executeAction" => return plugin(name, message),
        _ => {}
    }
    let short = match name.as_str() {
        // One page of the manual spells it so.
        "indigo.device.setBrightness" => "dimmer.setBrightness",
        name => name.strip_prefix("indigo.").unwrap_or(""),
    };
    let Some((short, collection, parameters)) = COMMANDS.iter().find(|it| it.0 == short) else {
        let shown: String = name.chars().take(80).collect();
        wrong("message", format!("`{shown}` is no command of this API"));
        return Err(errors);
    };
    let mut arguments = Map::new();
    match message.get("objectId").and_then(Value::as_i64) {
        None => wrong(
            "objectId",
            "the object's id is needed, a whole number".to_owned(),
        ),
        Some(id) => {
            let found = server.database().any(id).map(|object| object.table);
            if found == Some(collection.objects()) {
                arguments.insert("id".to_owned(), id.into());
            } else {
                let noun = collection.objects().words();
                wrong("objectId", format!("there is no {noun} with id {id}"));
            }
        }
    }
    let empty = Map::new();
    let given = match message.get("parameters") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(given)) => given,
        Some(_) => {
            wrong("parameters", "a dictionary is needed".to_owned());
            &empty
        }
    };
    for key in given.keys() {
        if !parameters.iter().any(|(name, ..)| name == key) {
            let shown: String = key.chars().take(80).collect();
            wrong(
                "parameters",
                format!("`{shown}` is no parameter of the command"),
            );
        }
    }
    for (name, kind, required) in *parameters {
        match given.get(*name) {
            None if *required => wrong(name, "it is needed".to_owned()),
            None => {}
            Some(value) => match fit(*kind, short, value) {
                Ok(value) => drop(arguments.insert((*name).to_owned(), value)),
                Err(text) => wrong(name, text),
            },
        }
    }
    if errors.is_empty() {
        Ok(((*short).to_owned(), Value::Object(arguments)))
    } else {
        Err(errors)
    }
}

/// A parameter as the server wants it.
fn fit(kind: Kind, command: &str, value: &Value) -> Result<Value, String> {
    let fits = match kind {
        Kind::Number => value.is_number(),
        Kind::Whole => value.is_i64() || value.is_u64(),
        Kind::Flag => value.is_boolean(),
        Kind::Text => value.is_string(),
        Kind::Minutes => {
            let items = value.as_array();
            items.is_some_and(|items| items.len() <= 64 && items.iter().all(Value::is_number))
        }
        Kind::Member(enumeration) => {
            let member = value.as_str().map(|text| {
                let rest = text.strip_prefix("indigo.").unwrap_or(text);
                let rest = rest.strip_prefix(enumeration);
                rest.and_then(|rest| rest.strip_prefix('.')).unwrap_or(text)
            });
            let named = member.filter(|it| it.chars().all(|c| c.is_ascii_alphanumeric()));
            let member = named.filter(|it| !it.is_empty());
            return member
                .map(Value::from)
                .ok_or_else(|| format!("a member such as `indigo.{enumeration}.X` is needed"));
        }
    };
    if fits {
        return Ok(value.clone());
    }
    Err(match kind {
        Kind::Text if command == "variable.updateValue" => {
            "variable values must be strings".to_owned()
        }
        Kind::Text => "a text is needed".to_owned(),
        Kind::Number => "a number is needed".to_owned(),
        Kind::Whole => "a whole number is needed".to_owned(),
        Kind::Flag => "true or false is needed".to_owned(),
        Kind::Minutes | Kind::Member(_) => "a list of at most 64 minutes is needed".to_owned(),
    })
}

fn log(message: &Map<String, Value>) -> Result<(String, Value), Map<String, Value>> {
    match message.get("messageText") {
        Some(Value::String(text)) => {
            let arguments = json!({"message": text, "type": "API", "level": 20});
            Ok(("server.log".to_owned(), arguments))
        }
        _ => {
            let text = Value::from("a text is needed");
            Err([("messageText".to_owned(), text)].into_iter().collect())
        }
    }
}

fn plugin(name: &str, message: &Map<String, Value>) -> Result<(String, Value), Map<String, Value>> {
    let mut errors = Map::new();
    let mut text = |key: &str| match message.get(key) {
        Some(Value::String(text)) => text.clone(),
        _ => {
            errors.insert(key.to_owned(), "a text is needed".into());
            String::new()
        }
    };
    let id = text("pluginId");
    if name == "plugin.restart" {
        let arguments = json!({"pluginId": id, "waitUntilDone": false});
        return if errors.is_empty() {
            Ok(("server.pluginRestart".to_owned(), arguments))
        } else {
            Err(errors)
        };
    }
    let action = text("actionId");
    let device = match message.get("deviceId") {
        None | Some(Value::Null) => 0,
        Some(other) => other.as_i64().unwrap_or_else(|| {
            errors.insert("deviceId".to_owned(), "a whole number is needed".into());
            0
        }),
    };
    let props = match message.get("props") {
        None | Some(Value::Null) => json!({}),
        Some(props @ Value::Object(_)) => props.clone(),
        Some(_) => {
            errors.insert("props".to_owned(), "a dictionary is needed".into());
            json!({})
        }
    };
    let wait = message.get("waitUntilDone").and_then(Value::as_bool);
    if !errors.is_empty() {
        return Err(errors);
    }
    let arguments = json!({"pluginId": id, "actionTypeId": action, "deviceId": device,
        "props": props, "waitUntilDone": wait.unwrap_or(true)});
    Ok(("server.pluginExecuteAction".to_owned(), arguments))
}
