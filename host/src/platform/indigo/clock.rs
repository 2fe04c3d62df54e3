//! The clock of the server: steps and schedules whose time has come.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Zoned;
use jiff::civil::DateTime;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::database::{Database, Reference};
use super::execute;
use super::object::Hidden;
use super::object::Object;
use super::schedule::{self, Timing};
use super::server::{Caller, IndigoServer, timestamp};
use super::sprinkler;
use super::sun::Sun;
use super::table::Collection;
use super::trigger;
use crate::log::Level;

/// How long the clock sleeps at most: the time of day may be set meanwhile.
const LONGEST: Duration = Duration::from_secs(30);

/// Seconds of delay after which a step begins a chain of its own: something that blinks
/// goes on for ever, and is no loop.
const FRESH: f64 = 0.1;

/// Who does what the clock does.
const CALLER: Caller = Caller::Operator("server");

/// A schedule as the clock has it.
struct Planned {
    /// What its next time was computed from.
    basis: (Map<String, Value>, Option<Timing>),
    next: Option<Zoned>,
}

/// Starts the clock; it ends with the server.
pub(super) fn start(server: &Arc<IndigoServer>) {
    tokio::spawn(run(Arc::downgrade(server)));
}

async fn run(server: Weak<IndigoServer>) {
    let mut planned = HashMap::new();
    loop {
        let Some(alive) = server.upgrade() else {
            return;
        };
        for delayed in alive.timers.due(Instant::now()) {
            let mut step = delayed.step;
            let caller = match step.delay >= FRESH {
                true => delayed.caller.renewed(),
                false => delayed.caller,
            };
            step.delay = 0.0;
            execute::begin_unasked(&alive, &caller, step, delayed.data);
        }
        sprinkler::advance(&alive);
        daylight(&alive).await;
        let next = schedules(&alive, &mut planned).await;
        let zone = alive.sprinklers.next();
        let next = zone.map_or(next, |zone| zone.min(next));
        let wake = alive.timers.next().map_or(next, |step| step.min(next));
        tokio::select! {
            () = tokio::time::sleep_until(wake) => {}
            () = alive.timers.changed.notified() => {}
        }
    }
}

/// The system's own variable.
const DAYLIGHT: &str = "isDaylight";

/// Adds the variable `isDaylight` where it is not yet there; returns its id.
pub(super) fn add_daylight(database: &mut Database, sun: &Sun) -> Option<i64> {
    let table = Collection::Variables.objects();
    let name = Reference::Name(DAYLIGHT.to_owned());
    if database.find(table, &name).is_some() {
        return None;
    }
    let mut fields = super::command::fields(DAYLIGHT, "", 0);
    let up = sun.is_up(&Zoned::now()).to_string();
    fields.insert("value".to_owned(), Value::from(up));
    fields.insert("readOnly".to_owned(), Value::from(true));
    Some(database.add(Object {
        id: 0,
        table,
        fields,
        hidden: Hidden::default(),
    }))
}

/// Keeps the variable `isDaylight` as it is outside.
async fn daylight(server: &Arc<IndigoServer>) {
    let up = server.sun.is_up(&Zoned::now()).to_string();
    let table = Collection::Variables.objects();
    let edited = server.edit(&CALLER, |edit| {
        let name = Reference::Name(DAYLIGHT.to_owned());
        let Some(known) = edit.database().find(table, &name) else {
            return Ok(());
        };
        let mut variable = Object::clone(known);
        variable.set("value", up);
        edit.update(variable, Vec::new()).map(drop)
    });
    if let Err(failure) = edited.await {
        tracing::error!(%failure, "the variable of daylight is not stored");
    }
}

/// Executes the schedules that are due; when to look again.
async fn schedules(server: &Arc<IndigoServer>, planned: &mut HashMap<i64, Planned>) -> Instant {
    let now = Zoned::now();
    let all: Vec<Arc<Object>> = {
        let database = server.database();
        let all = database.list(Collection::Schedules.objects());
        all.cloned().collect()
    };
    planned.retain(|id, _| all.iter().any(|it| it.id == *id));
    let mut wake = LONGEST;
    for object in all {
        let basis = basis(&object);
        let known = planned.get(&object.id).filter(|it| it.basis == basis);
        let mut next = match known {
            Some(known) => known.next.clone(),
            None => schedule::next(&object, &server.sun, &now),
        };
        if !planned.contains_key(&object.id) {
            tell_missed(server, &object, next.as_ref(), &now);
        }
        if next.as_ref().is_some_and(|it| *it <= now) {
            let data = trigger::event(&object, &CALLER);
            trigger::execute(server, &CALLER, &object, false, data);
            next = if schedule::is_over(&object) {
                None
            } else {
                schedule::next(&object, &server.sun, &now)
            };
            if next.is_none() && object.flag("autoDelete") {
                let deleted = server.edit(&CALLER, |edit| edit.delete(object.id)).await;
                if let Err(failure) = deleted {
                    tracing::error!(%failure, "a schedule stays");
                }
                continue;
            }
        }
        if let Some(next) = &next {
            let left = next.timestamp().duration_since(now.timestamp());
            wake = wake.min(Duration::try_from(left).unwrap_or_default());
        }
        announce(server, &object, next.as_ref()).await;
        planned.insert(object.id, Planned { basis, next });
    }
    Instant::now() + wake
}

/// Says that a schedule's time passed while the hub was off. What was announced is in the
/// store, so it shows when the hub first looks at the schedule. Nothing is made up for:
/// what was meant for the morning is wrong in the evening.
fn tell_missed(server: &IndigoServer, schedule: &Object, next: Option<&Zoned>, now: &Zoned) {
    let announced = schedule.text("nextExecution").parse::<DateTime>();
    let Some(missed) = announced.ok().filter(|it| *it <= now.datetime()) else {
        return;
    };
    let moment = |time: DateTime| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let next = match next {
        Some(next) => format!("it is due next at {}", moment(next.datetime())),
        None => "it is not due again".to_owned(),
    };
    let line = format!(
        "schedule '{}' was due at {} while the hub was off and was not executed; {next}",
        schedule.name(),
        moment(missed)
    );
    server.events().record(None, Level::Warning, line);
}

/// What the next time follows from.
fn basis(object: &Object) -> (Map<String, Value>, Option<Timing>) {
    let keys = [
        "enabled",
        "dateType",
        "timeType",
        "absoluteDate",
        "absoluteTime",
        "absoluteDateTime",
        "sunDelta",
        "randomizeBy",
    ];
    let fields = keys.iter().filter_map(|key| {
        let value = object.fields.get(*key)?;
        Some(((*key).to_owned(), value.clone()))
    });
    (fields.collect(), object.hidden.timing.clone())
}

/// Writes the next time into the object, where it changed.
async fn announce(server: &Arc<IndigoServer>, object: &Object, next: Option<&Zoned>) {
    let text = next.map_or(Value::Null, |next| Value::from(timestamp(next)));
    if object.fields.get("nextExecution") == Some(&text) {
        return;
    }
    let id = object.id;
    let edited = server.edit(&CALLER, |edit| {
        let table = Collection::Schedules.objects();
        let Some(old) = edit.database().find(table, &Reference::Id(id)) else {
            return Ok(());
        };
        let mut schedule = Object::clone(old);
        schedule.set("nextExecution", text);
        edit.update(schedule, Vec::new()).map(drop)
    });
    if let Err(failure) = edited.await {
        tracing::error!(%failure, "the next time of a schedule is not stored");
    }
}
