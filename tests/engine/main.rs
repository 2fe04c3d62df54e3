//! The engine and the guest: threads, snapshots, restarts, durability.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

#[path = "../support/mod.rs"]
mod support;

mod code;
mod memory;
mod packages;
mod snapshot;
mod threads;
