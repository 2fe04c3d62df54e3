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
use super::execute;
use super::failure::Failure;
use super::object::Object;
use super::server::{Caller, IndigoServer};
use super::table::{Collection, Table};

/// What every command works with.
pub(super) struct Context<'a> {
    pub(super) server: &'a Arc<IndigoServer>,
    pub(super) caller: &'a Caller,
    pub(super) arguments: Arguments,
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

    /// The object as the caller sees it.
    fn see(&self, object: &Object) -> Value {
        self.server.see(self.caller, object)
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

    /// Changes the object that the command is about.
    async fn change(
        &self,
        table: Table,
        change: impl FnOnce(&mut Object) -> Result<(), Failure>,
    ) -> Result<Arc<Object>, Failure> {
        let reference = self.arguments.subject()?;
        let edited = self.server.edit(self.caller, |edit| {
            let old = edit.database().get(table, &reference)?;
            let mut object = Object::clone(old);
            change(&mut object)?;
            edit.update(object, Vec::new())
        });
        edited.await
    }
}

/// Carries out a command.
pub(super) async fn run(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    name: &str,
    arguments: Arguments,
) -> Result<Value, Failure> {
    let context = Context {
        server,
        caller,
        arguments,
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
            "indigo.{name} is not available: this server has no {namespace} interface; operate \
             the devices of a plugin that speaks it, with indigo.device and its kin"
        ))),
        _ if trigger::is_namespace(namespace) => trigger::run(context, namespace, command).await,
        _ => Err(unknown(name)),
    }
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::unsupported(format!("this server has no command 'indigo.{name}'"))
}
