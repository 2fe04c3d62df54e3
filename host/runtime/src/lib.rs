//! The life of plugin instances, whatever framework their plugins were written for.
//!
//! - [`framework`]: the seam. A framework is a [`Framework`](framework::Framework) in a crate of
//!   its own; nothing here names one.
//! - [`instance`]: one plugin instance, an actor that owns a component.
//! - [`engine`]: the part that all instances share; [`abi`]: the contract of `wit/`.
//! - [`capability`]: the interfaces that plugins of every framework may use, one module per
//!   interface; [`code_cache`]: compiled code of plugins; [`compiled`]: compiled packages.
//! - [`section`]: the part of an instance's section in `cordon.toml` that is the same for all.
//! - [`things`]: the devices of every framework, for whatever shows or bridges them.
//! - [`tls`]: cryptography for the sockets that plugins drive themselves.

pub mod abi;
pub mod capability;
pub mod code_cache;
pub mod compiled;
pub mod engine;
pub mod framework;
pub mod instance;
pub mod section;
pub mod things;
pub mod tls;
