//! The devices of the server as things that any front end can show.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use tokio::sync::broadcast::error::RecvError;

use crate::caller::Caller;
use crate::device::DeviceClass;
use crate::failure::{Failure, FailureKind};
use crate::object::Object;
use crate::server::IndigoServer;
use crate::table::{Collection, Table};
use crate::view::class;
use crate::watchers::Watcher;
use crate::web::command::carry_out;
use cordon_runtime::things::{
    Answer, Moment, News, Operation, Page, Thing, Things, ThingsError, Value, Watch,
};
use cordon_web::access::Rights;

/// Things on one page.
const PAGE: usize = 64;

/// Bytes of texts after which a page takes no more things.
const BYTES: usize = 256 << 10;

/// The source of commands, as it stands in the log.
const SOURCE: &str = "things";

/// The things of a server. Clones share them.
#[derive(Clone)]
pub struct IndigoThings {
    server: Arc<IndigoServer>,
}

impl IndigoThings {
    /// The devices of this server.
    #[must_use]
    pub fn new(server: Arc<IndigoServer>) -> Self {
        Self { server }
    }

    fn page(&self, after: Option<&str>) -> Result<Page, ThingsError> {
        let after = after.map(parsed).transpose()?;
        // One more, which tells whether there is another page.
        let mut objects: Vec<Arc<Object>> = {
            let database = self.server.database();
            let devices = database.list(devices());
            let wanted = devices.filter(|it| after.is_none_or(|after| it.id > after));
            let wanted = wanted.take(PAGE.saturating_add(1));
            wanted.map(Arc::clone).collect()
        };
        let mut more = objects.len() > PAGE;
        objects.truncate(PAGE);
        let (mut things, mut bytes, mut last) = (Vec::new(), 0_usize, None);
        for object in &objects {
            if bytes > BYTES {
                more = true;
                break;
            }
            last = Some(object.id);
            // Nobody is told of a draft.
            if !object.hidden.draft {
                let thing = thing(object);
                bytes = bytes.saturating_add(weight(&thing));
                things.push(thing);
            }
        }
        let next = last.filter(|_| more).map(|id| id.to_string());
        Ok(Page { things, next })
    }

    fn device(&self, id: &str) -> Result<Arc<Object>, ThingsError> {
        let id = parsed(id)?;
        let database = self.server.database();
        let found = database.any(id).filter(|it| it.table == devices());
        let found = found.filter(|it| !it.hidden.draft).map(Arc::clone);
        found.ok_or(ThingsError::Missing)
    }

    async fn act(&self, id: &str, operation: Operation) -> Result<(), ThingsError> {
        let object = self.device(id)?;
        let (command, value) = wish(&object, operation)?;
        let mut arguments = json!({ "id": object.id });
        if let (Some(value), Json::Object(arguments)) = (value, &mut arguments) {
            arguments.insert("value".to_owned(), value);
        }
        let done = carry_out(&self.server, &Caller::Operator(SOURCE), command, arguments).await;
        done.map(drop).map_err(explained)
    }
}

impl Things for IndigoThings {
    fn framework(&self) -> &'static str {
        "indigo"
    }

    fn list<'a>(&'a self, after: Option<&'a str>) -> Answer<'a, Page> {
        Box::pin(async move { self.page(after) })
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(Changes(self.server.changes(devices())))
    }

    /// As the commands of the HTTP API, within the time that those may take.
    fn operate<'a>(&'a self, rights: Rights, id: &'a str, operation: Operation) -> Answer<'a, ()> {
        Box::pin(async move {
            if rights < Rights::User {
                return Err(ThingsError::Forbidden);
            }
            self.act(id, operation).await
        })
    }

    /// The server keeps the present alone.
    fn history<'a>(&'a self, id: &'a str, _from: i64, _until: i64) -> Answer<'a, Vec<Moment>> {
        Box::pin(async move {
            self.device(id)?;
            Err(ThingsError::NoHistory)
        })
    }
}

struct Changes(Watcher);

impl Watch for Changes {
    fn next(&mut self) -> BoxFuture<'_, Option<News>> {
        Box::pin(async move {
            match self.0.recv().await {
                Ok(change) => Some(News::Changed(vec![change.what.object().id.to_string()])),
                Err(RecvError::Lagged(_)) => Some(News::Missed),
                Err(RecvError::Closed) => None,
            }
        })
    }
}

fn devices() -> Table {
    Collection::Devices.objects()
}

fn parsed(id: &str) -> Result<i64, ThingsError> {
    id.parse().map_err(|_| ThingsError::Missing)
}

fn thing(object: &Object) -> Thing {
    let states = object.fields.get("states").and_then(Json::as_object);
    let values = states.into_iter().flatten();
    let values = values.map(|(key, value)| (key.clone(), shown(value)));
    let kind = class(object);
    Thing {
        id: object.id.to_string(),
        name: object.name().to_owned(),
        instance: object.owner().to_owned(),
        kind: kind.strip_prefix("indigo.").unwrap_or(kind).to_owned(),
        values: values.collect(),
        changed: changed(object.text("lastChanged")),
    }
}

fn shown(value: &Json) -> Value {
    match value {
        Json::Bool(truth) => Value::Truth(*truth),
        Json::Number(number) => number
            .as_f64()
            .map_or_else(|| Value::Text(number.to_string()), Value::Number),
        Json::String(text) => Value::Text(text.clone()),
        Json::Null => Value::Text(String::new()),
        other => Value::Text(other.to_string()),
    }
}

/// Bytes of a thing's texts.
fn weight(thing: &Thing) -> usize {
    let values = thing.values.iter().map(|(name, value)| {
        let text = match value {
            Value::Text(text) => text.len(),
            Value::Truth(_) | Value::Number(_) => 0,
        };
        name.len().saturating_add(text)
    });
    values.fold(thing.name.len(), usize::saturating_add)
}

/// The moment of a local time as the server writes it.
fn changed(text: &str) -> Option<i64> {
    let local: DateTime = text.parse().ok()?;
    let moment = local.to_zoned(TimeZone::system()).ok()?;
    Some(moment.timestamp().as_millisecond())
}

/// The command for a wish, and its value.
fn wish(
    object: &Object,
    operation: Operation,
) -> Result<(&'static str, Option<Json>), ThingsError> {
    let refused = |text: &str| Err(ThingsError::Refused(text.to_owned()));
    let level = match operation {
        Operation::On => return Ok(("device.turnOn", None)),
        Operation::Off => return Ok(("device.turnOff", None)),
        Operation::Toggle => return Ok(("device.toggle", None)),
        Operation::Level(level) => level,
    };
    if !level.is_finite() {
        return refused("a level is a number");
    }
    match object.hidden.device {
        DeviceClass::Thermostat => Ok(("thermostat.setHeatSetpoint", Some(json!(level)))),
        DeviceClass::SpeedControl => Ok(("speedcontrol.setSpeedLevel", Some(whole(level)?))),
        DeviceClass::Dimmer => Ok(("dimmer.setBrightness", Some(whole(level)?))),
        _ => refused("this device has no level"),
    }
}

fn whole(level: f64) -> Result<Json, ThingsError> {
    if !(0.0..=100.0).contains(&level) {
        return Err(ThingsError::Refused("a level is from 0 to 100".to_owned()));
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is from 0 to 100")]
    Ok(Json::from(level.round() as i64))
}

fn explained(failure: Failure) -> ThingsError {
    if let Some(hit) = failure.limit {
        return ThingsError::Limit(hit);
    }
    match failure.kind {
        FailureKind::Key => ThingsError::Missing,
        FailureKind::Plugin => ThingsError::NotRunning,
        FailureKind::Busy => ThingsError::Busy,
        _ => ThingsError::Refused(failure.message),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
