//! The clock of the server: steps and schedules whose time has come.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Zoned;
use serde_json::Value;
use tokio::time::Instant;

use super::caller::{Caller, SERVER};
use super::database::{Database, Reference};
use super::driven::step;
use super::execute;
use super::object::Hidden;
use super::object::Object;
use super::plans;
use super::promptly::begin_promptly;
use super::server::IndigoServer;
use super::sprinkler;
use super::sun::Sun;
use super::table::Collection;
use super::timers::Delayed;

/// How long the clock sleeps at most. The time of day may be set while it sleeps.
const LONGEST: Duration = Duration::from_secs(30);

/// Seconds of delay from which a step begins a chain of its own. A device that blinks goes on for
/// ever and is no loop.
const FRESH: f64 = 0.1;

/// The caller of everything that the clock begins.
pub(super) const CALLER: Caller = Caller::Operator(SERVER);

/// Starts the clock; it ends with the server.
pub(super) fn start(server: &Arc<IndigoServer>) {
    tokio::spawn(run(Arc::downgrade(server)));
}

async fn run(server: Weak<IndigoServer>) {
    let mut looked: Option<Instant> = None;
    loop {
        let Some(alive) = server.upgrade() else {
            return;
        };
        // Work that grows with the number of objects in the house is not done at each change.
        let now = Instant::now();
        if looked.is_none_or(|at| now.saturating_duration_since(at) >= LONGEST) {
            looked = Some(now);
            daylight(&alive);
            plans::sweep(&alive);
        }
        due(&alive);
        sprinkler::advance(&alive);
        let left = plans::advance(&alive).map_or(LONGEST, |it| it.min(LONGEST));
        let next = Instant::now() + left;
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
                match caller.plugin() {
                    Some(_) => execute::begin_unasked(server, &caller, step, delayed.data),
                    None => begin_promptly(server, &caller, step, delayed.data),
                }
            }
        });
    }
}

/// Begins work whose time has come. All plugins share the clock, so the work of a plugin's steps is
/// done elsewhere, in turn with others and at the plugin's cost.
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

/// Sets the variable `isDaylight` when day or night has begun. The clock does not wait until the
/// value is stored.
fn daylight(server: &Arc<IndigoServer>) {
    let up = server.sun.is_up(&Zoned::now()).to_string();
    let table = Collection::Variables.objects();
    let name = Reference::Name(DAYLIGHT.to_owned());
    let known = {
        let database = server.database();
        let variable = database.find(table, &name);
        variable.is_none_or(|it| it.text("value") == up)
    };
    if known {
        return;
    }
    let server = Arc::clone(server);
    tokio::spawn(async move {
        let find = |database: &Database| database.get(table, &name).cloned();
        let edited = server.alter(&CALLER, None, find, |_, variable| {
            variable.set("value", up.clone());
            Ok(((), Vec::new()))
        });
        if let Err(failure) = edited.await {
            tracing::error!(%failure, "the variable of daylight is not stored");
        }
    });
}
