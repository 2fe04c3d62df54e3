//! The interfaces of the contract that are for Domoticz plugins alone, one module for each.
//!
//! They convert and report limits; the rules are in the rest of this crate.

mod configuration;
mod connections;
mod devices;
mod images;
mod messages;
mod notifier;
mod schedule;

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};

use crate::abi::cordon::plugin as abi;
use crate::state::State;
use cordon_runtime::instance::guest::Hub;
use cordon_runtime::instance::state::{InstanceState, Shared};

/// Links these interfaces.
///
/// # Errors
///
/// A fault of ours: two definitions of one name.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    type Whole = HasSelf<InstanceState>;
    abi::configuration::add_to_linker::<_, Whole>(linker, |state| state)?;
    abi::connections::add_to_linker::<_, Whole>(linker, |state| state)?;
    abi::devices::add_to_linker::<_, Whole>(linker, |state| state)?;
    abi::images::add_to_linker::<_, Whole>(linker, |state| state)?;
    abi::notifier::add_to_linker::<_, Whole>(linker, |state| state)?;
    abi::schedule::add_to_linker::<_, Whole>(linker, |state| state)
}

/// The data of the instance that calls: the part of every instance, and Domoticz' own.
fn parts(hub: &Hub) -> wasmtime::Result<(Arc<Shared>, Arc<State>)> {
    let shared = hub.with(|mut access| Arc::clone(&access.get().shared));
    let state = shared.of::<State>()?;
    Ok((shared, state))
}
