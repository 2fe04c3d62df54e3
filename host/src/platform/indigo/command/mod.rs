//! The commands of the server: one module per namespace.
//!
//! A name is `NAMESPACE.COMMAND`, such as `device.turnOn`; collections have theirs in
//! the plural, such as `devices.get`.

mod collection;
mod folder;

use std::sync::Arc;

use serde_json::Value;

use super::arguments::Arguments;
use super::failure::Failure;
use super::server::{Caller, IndigoServer};
use super::table::Collection;

/// What every command works with.
pub(super) struct Context<'a> {
    pub(super) server: &'a Arc<IndigoServer>,
    pub(super) caller: &'a Caller,
    pub(super) arguments: Arguments,
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
    Err(unknown(name))
}

pub(super) fn unknown(name: &str) -> Failure {
    Failure::unsupported(format!("this server has no command 'indigo.{name}'"))
}
