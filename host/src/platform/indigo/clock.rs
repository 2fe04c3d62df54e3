//! The clock of the server: steps and schedules whose time has come.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Zoned;
use jiff::civil::DateTime;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::database::{Database, Reference};
use super::driven::step;
use super::execute;
use super::failure::FailureKind;
use super::object::Hidden;
use super::object::Object;
use super::plugin::Waiting;
use super::schedule::{self, Timing};
use super::server::{Caller, IndigoServer, timestamp};
use super::sprinkler;
use super::sun::Sun;
use super::table::Collection;
use super::timers::Delayed;
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
        due(&alive);
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

/// Begins the steps that are due, those of one plugin in their order.
fn due(server: &Arc<IndigoServer>) {
    let mut by_plugin: HashMap<String, (Caller, Vec<Delayed>)> = HashMap::new();
    for delayed in server.timers.due(Instant::now()) {
        let charged = delayed.caller.charged().to_owned();
        let caller = delayed.caller.clone();
        let (_, steps) = by_plugin
            .entry(charged)
            .or_insert_with(|| (caller, Vec::new()));
        steps.push(delayed);
    }
    for (caller, steps) in by_plugin.into_values() {
        begin(server, &caller, move |server, _| {
            for delayed in steps {
                let mut step = delayed.step;
                let caller = match step.delay >= FRESH {
                    true => delayed.caller.renewed(),
                    false => delayed.caller,
                };
                step.delay = 0.0;
                execute::begin_unasked(server, &caller, step, delayed.data);
            }
        });
    }
}

/// Does something whose time has come. The clock is everybody's: what a plugin's steps take
/// is done elsewhere, in turn with others and at its cost.
pub(super) fn begin(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    work: impl FnOnce(&Arc<IndigoServer>, &Caller) + Send + 'static,
) {
    let Some(plugin) = caller.plugin() else {
        return work(server, caller);
    };
    let account = Arc::clone(&plugin.account);
    let pool = server.pools.commands.clone();
    let (server, caller) = (Arc::clone(server), caller.clone());
    tokio::spawn(async move {
        let done = step(&pool, &account, move || work(&server, &caller));
        if let Err(error) = done.await {
            tracing::error!(%error, "a step whose time had come was not done");
        }
    });
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
    let name = Reference::Name(DAYLIGHT.to_owned());
    if server.database().find(table, &name).is_none() {
        return;
    }
    let find = |database: &Database| database.get(table, &name).cloned();
    let edited = server.alter(&CALLER, None, find, |_, variable| {
        variable.set("value", up.clone());
        Ok(((), Vec::new()))
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
            let data = || trigger::event(&object, &CALLER);
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
        announce(server, &object, next.as_ref());
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
    server.note_about(&CALLER, schedule, Level::Warning, &line);
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

/// Writes the next time into the object, where it changed. The clock does not wait for it:
/// a plugin may have many schedules, which would hold up those of others.
fn announce(server: &Arc<IndigoServer>, object: &Arc<Object>, next: Option<&Zoned>) {
    let text = next.map_or(Value::Null, |next| Value::from(timestamp(next)));
    if object.fields.get("nextExecution") == Some(&text) {
        return;
    }
    let caller = match server.plugin(&object.hidden.charged) {
        Some(plugin) => Caller::Chain(Caller::Plugin(plugin).chain()),
        None => CALLER,
    };
    let (held, most) = caller.steps(server);
    // With so much on its way already the time is announced when the clock looks again.
    let Ok(waiting) = Waiting::take(held, 1, most) else {
        return;
    };
    let server = Arc::clone(server);
    let wanted = Reference::Id(object.id);
    tokio::spawn(async move {
        let find = |database: &Database| {
            let table = Collection::Schedules.objects();
            database.get(table, &wanted).cloned()
        };
        let edited = server.alter(&caller, None, find, |_, schedule| {
            schedule.set("nextExecution", text.clone());
            Ok(((), Vec::new()))
        });
        if let Err(failure) = edited.await
            && failure.kind != FailureKind::Key
        {
            let line = format!("the next time of a schedule is not stored: {failure}");
            server.note(&caller, Level::Error, &line);
        }
        drop(waiting);
    });
}
