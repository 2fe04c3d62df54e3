//! The hub's effort for the bytes that a plugin, a bundle or a client gives it.
//!
//! Every function of the contract and every reader of foreign files is called with
//! arguments of many sizes and shapes, for a bounded time, and fails when the hub has
//! allocated or computed more than a constant times the bytes given. `CORDON_COST_SECONDS`
//! sets the time of each test.
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

mod allocation;
mod functions;
mod indigo;
mod random;
mod readers;

use std::time::Duration;

/// How long a test goes on with random arguments.
pub fn time() -> Duration {
    let seconds = std::env::var("CORDON_COST_SECONDS").ok();
    Duration::from_secs(seconds.map_or(10, |text| text.parse().expect("a number of seconds")))
}

/// The measurements are of the whole process, so tests take turns.
pub static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
