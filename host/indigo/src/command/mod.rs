//! The commands of the server: one module per namespace.
//!
//! A name is `NAMESPACE.COMMAND`, such as `device.turnOn`; collections have theirs in
//! the plural, such as `devices.get`. The first parameter of a command about an object
//! is called `id` here, an id or a name.

mod action_group;
mod collection;
mod common;
mod control_page;
pub(super) mod device;
mod dimmer;
mod folder;
mod follow;
mod iodevice;
mod relay;
mod schedule;
mod sensor;
mod server;
mod speedcontrol;
mod sprinkler;
mod states;
mod thermostat;
mod trigger;
mod variable;

use std::sync::Arc;

use serde_json::Value;

pub(super) use common::fields;
pub(super) use server::announce;

use super::action::Step;
use super::arguments::Arguments;
use super::bounds::{SMALL, quoted};
use super::change::StateChange;
use super::database::Database;
use super::execute;
use super::failure::Failure;
use super::hold::Hold;
use super::object::Object;
use super::server::{Caller, IndigoServer};
use super::table::{Collection, Table};
use cordon_base::account::thread_cpu;

/// What every command works with.
pub(super) struct Context<'a> {
    pub(super) server: &'a Arc<IndigoServer>,
    pub(super) caller: &'a Caller,
    pub(super) arguments: Arguments,
    /// What it holds of the caller's account.
    pub(super) hold: &'a Hold,
}

impl Context<'_> {
    /// The object that the command is about.
    fn subject(&self, table: Table) -> Result<Arc<Object>, Failure> {
        let reference = self.arguments.subject()?;
        self.server.database().get(table, &reference).cloned()
    }

    /// The device that the command is about.
    fn device(&self) -> Result<Arc<Object>, Failure> {
        self.subject(Collection::Devices.objects())
    }

    /// The object as the caller sees it; there is room for that already.
    fn see(&self, object: &Object) -> Value {
        self.server.see(self.caller, object)
    }

    /// The same, where room is still to be found.
    fn show(&self, object: &Object) -> Result<Value, Failure> {
        let size = self.server.database().size(object.id);
        self.hold.take(size.shown())?;
        Ok(self.see(object))
    }

    /// Finds room for so many bytes of an answer.
    fn room(&self, bytes: u64) -> Result<(), Failure> {
        self.hold.take(bytes)
    }

    /// Begins work on many items; what it gives asks before each whether to go on.
    fn patience(&self) -> impl Fn() -> Result<(), Failure> {
        let begun = thread_cpu();
        move || self.hold.ask(begun, self.caller.limits())
    }

    /// Carries out a step after the delay that the command was given.
    fn act(&self, step: Step) -> Result<Value, Failure> {
        let delay = self.arguments.number("delay")?.unwrap_or(0.0);
        execute::begin(self.server, self.caller, step.after(delay), None)?;
        Ok(Value::Null)
    }

    /// Whether the caller may change what belongs to the owner of an object.
    fn owns(&self, object: &Object) -> Result<(), Failure> {
        match self.caller.plugin_id() {
            Some(id) if id != object.owner() => Err(Failure::value(format!(
                "'{}' belongs to plugin '{}'; only that one may do this",
                object.name(),
                object.owner()
            ))),
            _ => Ok(()),
        }
    }

    /// Changes the object that the command is about; there is room to show it then.
    async fn change(
        &self,
        table: Table,
        mut change: impl FnMut(&mut Object) -> Result<(), Failure>,
    ) -> Result<Arc<Object>, Failure> {
        let altered = self.alter(table, |_, object| {
            change(object)?;
            Ok(((), Vec::new()))
        });
        Ok(altered.await?.0)
    }

    /// The same with the object as it was, and with the states that fire triggers.
    async fn alter<T>(
        &self,
        table: Table,
        change: impl FnMut(&Object, &mut Object) -> Result<(T, Vec<StateChange>), Failure>,
    ) -> Result<(Arc<Object>, T), Failure> {
        let reference = self.arguments.subject()?;
        let find = |database: &Database| database.get(table, &reference).cloned();
        let hold = Some(self.hold);
        self.server.alter(self.caller, hold, find, change).await
    }

    /// Adds an object, and shows it.
    async fn add(&self, object: Object) -> Result<Value, Failure> {
        let made = self.put(object).await?;
        Ok(self.see(&made))
    }

    /// Adds an object; there is room to show it then.
    async fn put(&self, object: Object) -> Result<Arc<Object>, Failure> {
        let weighed = self.server.weigh(self.caller, object, Some(self.hold))?;
        let made = self.server.edit(self.caller, |edit| edit.create(weighed));
        made.await
    }
}

/// Whether a command with small arguments takes no longer than a callback's thread may be
/// kept: it is about one small object, or about none.
pub(super) fn is_light(server: &IndigoServer, name: &str, arguments: &Arguments) -> bool {
    let (namespace, command) = name.split_once('.').unwrap_or((name, ""));
    let table = if let Some(collection) = Collection::of_name(namespace) {
        match command {
            "contains" | "getName" | "getId" | "subscribeToChanges" => return true,
            "get" => collection.objects(),
            _ => return false,
        }
    } else if namespace == "server" {
        return !matches!(
            command,
            "getEventLogList"
                | "getPluginList"
                | "pluginDefinitions"
                | "pluginExecuteAction"
                | "savePluginPrefs"
                | "broadcastToSubscribers"
                | "removeAllDelayedActions"
        );
    } else {
        match command {
            "create" | "duplicate" | "execute" | "setActions" | "getActions"
            | "getDependencies" | "getGroupList" | "changeDeviceTypeId" => return false,
            _ => {}
        }
        let collection = Collection::of_noun(namespace).unwrap_or(match namespace {
            _ if trigger::is_namespace(namespace) => Collection::Triggers,
            _ => Collection::Devices,
        });
        collection.objects()
    };
    let Ok(reference) = arguments.subject() else {
        // It fails at once.
        return true;
    };
    let database = server.database();
    let id = database.find(table, &reference).map_or(0, |it| it.id);
    database.size(id).memory <= SMALL
}

/// Carries out a command.
pub(super) async fn run(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    name: &str,
    arguments: Arguments,
    hold: &Hold,
) -> Result<Value, Failure> {
    let context = Context {
        server,
        caller,
        arguments,
        hold,
    };
    let (namespace, command) = name.split_once('.').unwrap_or((name, ""));
    if let Some(collection) = Collection::of_name(namespace) {
        return collection::run(context, collection, command).await;
    }
    match namespace {
        "device" => device::run(context, command).await,
        "dimmer" => dimmer::run(context, command).await,
        "relay" => relay::run(context, command).await,
        "sensor" => sensor::run(context, command).await,
        "speedcontrol" => speedcontrol::run(context, command).await,
        "thermostat" => thermostat::run(context, command).await,
        "sprinkler" => sprinkler::run(context, command).await,
        "iodevice" => iodevice::run(context, command).await,
        "variable" => variable::run(context, command).await,
        "schedule" => schedule::run(context, command).await,
        "actionGroup" => action_group::run(context, command).await,
        "controlPage" => control_page::run(context, command).await,
        "server" => server::run(context, command).await,
        "insteon" | "x10" | "zwave" => Err(Failure::unsupported(format!(
            "indigo.{} is not available: this server has no {namespace} interface; operate \
             the devices of a plugin that speaks it, with indigo.device and its kin",
            quoted(name)
        ))),
        _ if trigger::is_namespace(namespace) => trigger::run(context, namespace, command).await,
        _ => Err(unknown(name)),
    }
}

pub(super) fn unknown(name: &str) -> Failure {
    let name = quoted(name);
    Failure::unsupported(format!("this server has no command 'indigo.{name}'"))
}
