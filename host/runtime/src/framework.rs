//! The seam between the hub and its frameworks.
//!
//! A framework is the API that plugins were written for. The runtime starts, meters, restarts and
//! ends instances of all frameworks alike. Everything that differs is behind two traits:
//! [`Framework`] is one instance in all its lives, [`Lifecycle`] one of these lives. Both are
//! called by the instance's own actor, so nothing here happens twice at once.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use wasmtime::Store;
use wasmtime::component::{Instance, Linker};

use crate::capability::files::FoldersOfInstance as _;
use crate::instance::Spec;
use crate::instance::guest::Guest;
use crate::instance::meter::Meter;
use crate::instance::setup::Found;
use crate::instance::state::{InstanceState, Shared};
use cordon_base::error::{EngineError, InstanceFailure, LimitHit};
use cordon_base::folders::Folders;
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pools;
use cordon_reach::Reach;

pub use crate::abi::cordon::plugin::commands::FailureKind;
pub use crate::abi::exports::cordon::plugin::guest::{Outcome, Setup};

/// An event on its way to a plugin. Its framework alone makes it and understands it.
pub type Event = Box<dyn Any + Send>;

/// The framework's data of one life, which its host functions find by its type.
pub type Data = Arc<dyn Any + Send + Sync>;

/// A step of a life: calls of the component, one after the other.
pub type Step<'a> = BoxFuture<'a, Result<(), InstanceFailure>>;

/// A plugin instance as its framework sees it, in all its lives.
pub trait Framework: Send + Sync {
    /// The framework's name in the contract (`setup.framework`). Instances with the same name are
    /// linked alike.
    fn name(&self) -> &'static str;

    /// Links the interfaces of the contract that are this framework's alone. Whatever is not
    /// linked ends an instance that calls it.
    ///
    /// # Errors
    ///
    /// A fault of ours: two definitions of one name.
    fn link(&self, _linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
        Ok(())
    }

    /// The file with the plugin's code.
    fn main_file(&self, folders: &Folders) -> PathBuf {
        folders.plugin.join("plugin.py")
    }

    /// The folder that operators know the plugin by.
    fn root(&self, folders: &Folders) -> PathBuf {
        folders.plugin.clone()
    }

    /// The files that the folders hold for a new life. May block.
    fn look(&self, folders: &Folders) -> Found {
        Found {
            modules: folders.modules(),
            ..Found::default()
        }
    }

    /// Prepares a life. Nothing of the component is there yet.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the hub lacks something for it; the life counts as failed.
    fn live<'a>(
        &'a self,
        birth: Birth<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Lifecycle>, EngineError>>;

    /// Carries out a command of the framework's server for the plugin (`commands.call`).
    fn command(
        &self,
        _shared: &Arc<Shared>,
        _name: String,
        _arguments: String,
    ) -> BoxFuture<'static, Result<String, CommandFailure>> {
        Box::pin(async {
            Err(CommandFailure {
                kind: FailureKind::Unsupported,
                message: "the plugin's framework has no commands".to_owned(),
                limit: None,
            })
        })
    }
}

/// The parts that the runtime has for a new life.
pub struct Birth<'a> {
    /// The parts that the instance is made from.
    pub spec: &'a Spec,
    /// The instance's log.
    pub log: &'a PluginLog,
    /// The instance's computing time.
    pub meter: &'a Arc<Meter>,
    /// The peers that the instance may reach.
    pub reach: &'a Reach,
    /// The threads that serve all instances in turn.
    pub pools: &'a Pools,
}

/// One life of an instance as its framework drives it.
///
/// The order of calls: [`data`](Self::data), [`load`](Self::load), [`set_up`](Self::set_up), the
/// import of the plugin, [`begin`](Self::begin); then any number of the others; at last
/// [`end`](Self::end), unless the life failed.
pub trait Lifecycle: Send {
    /// The data of this life for the framework's host functions.
    fn data(&self) -> Data;

    /// Finds the framework's own exports in the component.
    ///
    /// # Errors
    ///
    /// A component that lacks them.
    fn load(
        &mut self,
        _store: &mut Store<InstanceState>,
        _instance: &Instance,
    ) -> wasmtime::Result<()> {
        Ok(())
    }

    /// Completes the facts that the plugin is told before its first line.
    fn set_up(&mut self, _setup: &mut Setup) {}

    /// Begins, once the plugin is imported.
    fn begin<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a>;

    /// Does the work that waited for the running call to return; true when
    /// [`interval`](Self::interval) has changed.
    fn settle(&mut self) -> bool {
        false
    }

    /// Waits until the framework has something to do that did not come through the inbox. May be
    /// dropped at any time, and then nothing must be lost.
    fn occurs(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Does what [`occurs`](Self::occurs) has waited for.
    fn attend<'a>(&'a mut self, _guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async { Ok(()) })
    }

    /// Gives the plugin an event of the inbox.
    fn deliver<'a>(&'a mut self, guest: &'a mut Guest<'_>, event: Event) -> Step<'a>;

    /// The time between two heartbeats.
    fn interval(&self) -> Duration;

    /// Gives the plugin a heartbeat.
    fn beat<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a>;

    /// Ends the plugin as its author expects.
    fn end<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a>;
}

/// Why a command was not carried out.
#[derive(Debug, Clone)]
pub struct CommandFailure {
    /// The class of the exception that the plugin gets.
    pub kind: FailureKind,
    /// Its text.
    pub message: String,
    /// The limit that was met, for the plugin's log.
    pub limit: Option<LimitHit>,
}
