//! The Python platform: what plugins import and call, inside the component.
//!
//! One module per part of the platform. The other end of a connection is a real
//! peer, started by the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    unused_imports,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod asymmetric;
mod asyncio;
mod certificates;
mod check;
mod compat;
mod cryptography;
mod environment;
mod files;
mod https;
mod icmp;
mod modules;
mod packages;
mod probe;
mod processes;
mod serial;
mod sockets;
mod sqlite;
mod terminal;
mod time;
mod tls;
mod transfer;
