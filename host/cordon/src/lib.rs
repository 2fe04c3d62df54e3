//! Cordon: unmodified home-automation plugins, each in a WebAssembly component of its own.
//!
//! The top floor of the house; `docs/architecture.md` shows the others, and which crate
//! stands on which. A tour, from the outside in:
//!
//! - [`cli`]: the verbs of the `cordon` program; [`config`]: `cordon.toml`.
//! - [`hub`]: the running hub; [`web`]: its HTTP API.
//! - [`instance`]: one plugin instance, an actor that owns a component.
//! - [`engine`]: what all instances share; [`abi`]: the contract of `wit/`.
//! - [`capability`]: what a plugin can be given, one module per interface;
//!   [`code_cache`]: its compiled code; [`compiled`]: compiled packages.
//! - [`connection`]: the network traffic the hub carries for plugins; [`tls`]: cryptography
//!   for the sockets that plugins drive themselves.
//! - [`platform`]: what Domoticz means by device, hardware and command.
//! - [`check`]: what a plugin needs, found out without running it.
//! - [`simulator`]: devices for the example plugins.

pub mod abi;
pub mod capability;
pub mod check;
pub mod cli;
pub mod code_cache;
pub mod compiled;
pub mod config;
pub mod connection;
pub mod engine;
pub mod hub;
pub mod instance;
pub mod platform;
pub mod simulator;
pub mod tls;
pub mod web;
