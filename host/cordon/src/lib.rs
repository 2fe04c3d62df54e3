//! Cordon: unmodified home-automation plugins, each in a WebAssembly component of its own.
//!
//! The top floor of the house; `docs/architecture.md` shows the others, and which crate
//! stands on which. A tour, from the outside in:
//!
//! - [`cli`]: the verbs of the `cordon` program; [`config`]: `cordon.toml`.
//! - [`hub`]: the running hub; [`schemas`]: the tables of its database; [`site`]: the listeners of
//!   the HTTP APIs.
//! - [`check`]: the needs of a plugin, found out without running it.
//! - [`simulator`]: devices for the example plugins.

pub mod check;
pub mod cli;
pub mod config;
pub mod hub;
pub mod schemas;
pub mod simulator;
pub mod site;
