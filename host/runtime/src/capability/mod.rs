//! The abilities that a plugin can be given: one module per interface of `wit/`.
//!
//! Each module implements its interface over the instance's shared state and checks its own grants
//! and limits. Interfaces that are not linked here do not exist for a plugin. Of WASI there are
//! clocks, randomness, standard streams that lead nowhere and the files of its own two folders;
//! there are no sockets (`sockets` has them) and no processes.

mod clock;
mod code;
mod commands;
pub mod files;
mod icmp;
mod log;
pub mod memory;
mod processes;
mod random;
mod serial;
mod sockets;
mod threads;
mod tls;

use wasmtime::component::{HasSelf, Linker};

use crate::abi::Plugin;
use crate::instance::state::InstanceState;

/// Links the capabilities that are the same for plugins of every framework.
///
/// # Errors
///
/// A fault of ours: two definitions of one name.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    files::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    // In the place of the definitions that refuse.
    linker.allow_shadowing(true);
    Plugin::add_to_linker::<_, HasSelf<InstanceState>>(linker, |state| state)?;
    memory::add_to_linker(linker)
}
