//! The commands of the server: one module per namespace.
//!
//! A name is `NAMESPACE.COMMAND`, such as `device.turnOn`; collections have theirs in the plural,
//! such as `devices.get`. The first parameter of a command about an object is called `id` here, and
//! is an id or a name.

mod action_group;
mod collection;
mod common;
mod context;
mod control_page;
pub(super) mod device;
mod dimmer;
mod entry;
mod folder;
mod follow;
mod given;
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

use context::Context;

use super::arguments::Arguments;
use super::bounds::{SMALL, quoted};
use super::caller::Caller;
use super::failure::Failure;
use super::hold::Hold;
use super::server::IndigoServer;
use super::table::Collection;

/// Whether a command with small arguments takes no longer than a callback's thread may be kept.
/// Such a command is about one small object, or about none.
fn is_light(server: &IndigoServer, name: &str, arguments: &Arguments) -> bool {
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
        // The command fails at once.
        return true;
    };
    let database = server.database();
    let id = database.find(table, &reference).map_or(0, |it| it.id);
    database.size(id).memory <= SMALL
}

/// Carries out a command.
async fn run(
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
