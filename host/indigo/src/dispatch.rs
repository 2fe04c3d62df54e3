//! Tells plugins, triggers and watchers of changes, in order and after they are stored.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::bounds::SMALL;
use super::change::{Change, What};
use super::driven::step;
use super::object::Object;
use super::plugin::{CallError, Plugin};
use super::server::{IndigoServer, Pending};
use super::table::Collection;
use super::trigger;
use super::view::view;

/// Tells of changes until the server is gone.
pub(super) async fn run(server: Weak<IndigoServer>, mut pending: mpsc::UnboundedReceiver<Pending>) {
    while let Some(pending) = pending.recv().await {
        let Pending {
            stored,
            changes,
            _before,
            _places,
        } = pending;
        // A change that was not stored did not happen.
        if stored.await != Ok(true) {
            continue;
        }
        let Some(server) = server.upgrade() else {
            return;
        };
        for change in changes {
            if change.memory <= SMALL {
                happened(&server, change);
                continue;
            }
            // The changes of all plugins come through here, one after the other. A change that
            // takes long to tell is told on a thread that is kept for such changes, at the cost of
            // whoever made it. There it does not wait for commands of that plugin.
            let account = match &change.by.plugin {
                Some(plugin) => Arc::clone(&plugin.account),
                None => Arc::clone(&server.account),
            };
            let pool = server.pools.notices.clone();
            let server = Arc::clone(&server);
            let told = step(&pool, &account, move || happened(&server, change));
            if let Err(error) = told.await {
                tracing::error!(%error, "a change could not be told");
            }
        }
    }
}

/// Tells everybody of one change.
fn happened(server: &Arc<IndigoServer>, change: Change) {
    tell(server, &change);
    trigger::fire_changes(server, &change);
    if let What::Deleted(object) = &change.what {
        server.sprinklers.forget(object.id);
    }
    if change.what.object().table == Collection::Schedules.objects() {
        let changer = change.by.plugin.clone();
        server.plans.mark(change.what.object().id, changer);
        server.timers.changed.notify_one();
    }
    server.watchers().tell(change);
}

fn tell(server: &IndigoServer, change: &Change) {
    let table = change.what.object().table;
    if table.folders {
        return;
    }
    let interested = |plugin: &Arc<Plugin>| {
        plugin.hears(change.sequence)
            && (plugin.follows(table.collection) || concerns(plugin.id(), &change.what))
    };
    let plugins = server.plugins();
    let mut interested = plugins.iter().filter(|it| interested(it)).peekable();
    if interested.peek().is_none() {
        return;
    }
    let name = callback(&change.what);
    let mut texts = Texts::default();
    for plugin in interested {
        if plugin.is_behind() {
            plugin.hold(&change.what, change.memory);
            continue;
        }
        let arguments = texts.of(plugin.id(), &change.what);
        // A plugin that does not run is told nothing.
        if let Err(CallError::Busy(_)) = plugin.send(&name, &arguments) {
            plugin.hold(&change.what, change.memory);
        }
    }
}

/// The name of the callback for a change.
fn callback(what: &What) -> String {
    let collection = what.object().table.collection;
    format!("{}{}", collection.noun(), what.verb())
}

/// Tells a plugin of changes that it was too busy for, as far as there is room. Only the instance
/// itself does so, between two calls, so that the changes stay in order.
pub async fn catch_up(server: &Arc<IndigoServer>, plugin: &Arc<Plugin>) {
    plugin.woken();
    while let Some(taken) = plugin.take_held() {
        let name = callback(taken.what());
        let made = if taken.memory() <= SMALL {
            arguments(plugin.id(), taken.what()).to_string()
        } else {
            let (id, what) = (plugin.id().to_owned(), taken.what().clone());
            let make = move || arguments(&id, &what).to_string();
            match step(&server.pools.notices, &plugin.account, make).await {
                Ok(made) => made,
                Err(error) => {
                    tracing::error!(%error, "a change could not be told");
                    String::new()
                }
            }
        };
        if !plugin.tell_held(taken, &name, &made.into()) {
            return;
        }
    }
}

/// Whether a plugin that did not ask for changes is told of this one. It is told of its own
/// objects, but not of states, because it sets those itself.
fn concerns(plugin: &str, what: &What) -> bool {
    match what {
        What::Created(object) | What::Deleted(object) => object.owner() == plugin,
        What::Updated { old, new } => {
            (old.owner() == plugin || new.owner() == plugin) && more_than_states(old, new)
        }
    }
}

/// Attributes that change with every state, and with nothing else.
const VOLATILE: [&str; 7] = [
    "states",
    "lastChanged",
    "lastSuccessfulComm",
    "errorState",
    "displayStateId",
    "displayStateImageSel",
    "energyAccumBaseTime",
];

fn more_than_states(old: &Object, new: &Object) -> bool {
    let differs = |key: &String| {
        !VOLATILE.contains(&key.as_str()) && old.fields.get(key) != new.fields.get(key)
    };
    let mut keys = old.fields.keys().chain(new.fields.keys());
    keys.any(differs)
}

/// The arguments of one change, made once for all plugins that see the same.
#[derive(Default)]
struct Texts {
    /// Arguments by plugin, where it keeps properties with the object; else under `None`.
    made: HashMap<Option<String>, Arc<str>>,
}

impl Texts {
    fn of(&mut self, plugin: &str, what: &What) -> Arc<str> {
        let has_props = |object: &Object| object.props(plugin).is_some();
        let own = match what {
            What::Created(object) | What::Deleted(object) => has_props(object),
            What::Updated { old, new } => has_props(old) || has_props(new),
        };
        let key = own.then(|| plugin.to_owned());
        let make = || arguments(plugin, what).to_string().into();
        Arc::clone(self.made.entry(key).or_insert_with(make))
    }
}

fn arguments(plugin: &str, what: &What) -> Value {
    let [one, before, after] = what.object().table.collection.parameters();
    let seen = |object: &Object| view(object, Some(plugin));
    let mut arguments = Map::new();
    match what {
        What::Created(object) | What::Deleted(object) => {
            arguments.insert(one.to_owned(), seen(object));
        }
        What::Updated { old, new } => {
            arguments.insert(before.to_owned(), seen(old));
            arguments.insert(after.to_owned(), seen(new));
        }
    }
    Value::Object(arguments)
}
