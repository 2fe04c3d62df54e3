//! Indigo as its plugins see it: objects, commands, triggers, schedules, actions.
//!
//! Names, attributes and rules are those of the public plugin reference and of the object model's
//! manual. Where these are silent, the module itself describes its behaviour.

pub mod action;
pub mod arguments;
pub mod bounds;
pub mod bundle;
pub mod caller;
pub mod change;
mod clock;
mod command;
pub mod condition;
pub mod config;
mod control;
pub mod database;
pub mod definition;
pub mod device;
pub mod dialog;
mod dispatch;
mod driven;
pub mod event_line;
mod execute;
pub mod failure;
pub mod filter;
#[cfg(test)]
pub(crate) mod fixture;
pub mod hold;
pub mod info;
mod journal;
mod keys;
pub mod life;
mod log_follower;
mod mail;
mod names;
pub mod object;
mod open;
pub mod paths;
mod places;
mod plans;
pub mod plugin;
mod port;
pub mod preferences;
mod promptly;
mod property_list;
mod records;
pub mod schedule;
pub mod schema;
pub mod server;
pub mod setup;
pub mod sleep;
mod sprinkler;
pub mod state;
pub mod substitution;
pub mod sun;
pub mod table;
pub mod things;
mod timers;
pub mod timestamp;
mod trigger;
pub mod view;
mod watchers;
pub mod web;
pub mod webhook;
pub mod weighed;
mod write;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;

pub use caller::Caller;
pub use change::{Change, What};
pub use dispatch::catch_up;
pub use failure::{Failure, FailureKind};
pub use life::Link;
pub use plugin::{Answer, Answered, Call, CallError, Plugin, Port, Returned};
pub use port::InstancePort;
pub use schema::SCHEMA;
pub use server::{IndigoServer, ServerOptions};
pub use watchers::Watcher;
