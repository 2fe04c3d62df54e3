//! Cordon: unmodified home-automation plugins, each in a WebAssembly component of its own.
//!
//! The top floor of the house; `docs/architecture.md` shows the others, and which crate
//! stands on which. A tour, from the outside in:
//!
//! - [`cli`]: the verbs of the `cordon` program; [`config`]: `cordon.toml`.
//! - [`hub`]: the running hub; [`site`]: the listeners of the HTTP APIs.
//! - [`instance`]: one plugin instance, an actor that owns a component.
//! - [`engine`]: the part that all instances share; [`abi`]: the contract of `wit/`.
//! - [`capability`]: the interfaces that a plugin may use, one module per interface;
//!   [`code_cache`]: its compiled code; [`compiled`]: compiled packages.
//! - [`tls`]: cryptography for the sockets that plugins drive themselves.
//! - [`check`]: the needs of a plugin, found out without running it.
//! - [`simulator`]: devices for the example plugins.

pub mod abi;
pub mod capability;
pub mod check;
pub mod cli;
pub mod code_cache;
pub mod compiled;
pub mod config;
pub mod engine;
pub mod hub;
pub mod instance;
pub mod simulator;
pub mod site;
pub mod tls;
