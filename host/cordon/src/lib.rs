//! Cordon: unmodified home-automation plugins, each in a WebAssembly component of its own.
//!
//! A tour, from the outside in:
//!
//! - [`cli`]: the verbs of the `cordon` program; [`config`]: `cordon.toml`.
//! - [`hub`]: the running hub; [`web`]: its HTTP API.
//! - [`instance`]: one plugin instance, an actor that owns a component.
//! - [`engine`]: what all instances share; [`abi`]: the contract of `wit/`.
//! - [`capability`]: what a plugin can be given, one module per interface;
//!   [`code_cache`]: its compiled code.
//! - [`connection`], [`protocol`]: the network traffic the hub carries for plugins;
//!   [`grants`], [`egress`]: whom they may talk to; [`tls`]: cryptography for the
//!   sockets that plugins drive themselves.
//! - [`process`], [`serial`], [`icmp`], [`mail`]: programs, ports, echo requests and
//!   letters on behalf of plugins.
//! - [`platform`]: what a hub means by device, hardware and command; [`store`]: where
//!   it is kept; [`log`]: what was said.
//! - [`packages`]: Python packages of plugins; [`check`]: what a plugin needs, found
//!   out without running it.
//! - [`account`]: memory and time that the hub spends for an instance; [`pool`]: threads
//!   that serve all instances in turn; [`descriptors`]: open files of the whole process;
//!   [`names`]: names that instances look up.
//! - [`limits`]: every bound, declared once; [`error`]: whose fault an error is;
//!   [`system`]: what the operating system grants; [`private`]: who may read and write the
//!   hub's files.
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
