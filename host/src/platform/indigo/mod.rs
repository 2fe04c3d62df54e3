//! Indigo as its plugins see it: objects, commands, triggers, schedules, actions.
//!
//! Names, attributes and rules are those of the public plugin reference and of the
//! object model's manual; where these are silent the module says what it does.

pub mod action;
pub mod arguments;
pub mod change;
mod clock;
mod command;
pub mod condition;
pub mod database;
pub mod device;
mod dispatch;
pub mod failure;
pub mod filter;
pub mod object;
pub mod paths;
pub mod plugin;
mod records;
pub mod server;
pub mod state;
pub mod sun;
pub mod table;
mod timers;
mod trigger;
pub mod view;

pub use change::{Change, What};
pub use failure::{Failure, FailureKind};
pub use plugin::{Answer, Call, CallError, Declared, Plugin, Port};
pub use server::{Caller, IndigoServer, ServerOptions};
