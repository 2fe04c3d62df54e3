//! Hostile plugins and peers: every limit and every grant, tripped.
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
#[path = "../conformance/tools.rs"]
mod tools;

#[macro_use]
mod attack;
mod scene;

mod browsers;
mod connections;
mod cpu;
mod definitions;
mod descriptors;
mod devices;
mod files;
mod grants;
mod icmp;
mod icons;
mod inbox;
mod indigo;
mod indigo_commands;
mod life;
mod log;
mod memory;
mod neighbours;
mod panel;
mod processes;
mod recovery;
mod serial;
mod sockets;
mod sqlite;
mod stacks;
mod threads;
mod tls;
mod wasi;
mod watch;
mod web;

/// Every limit that a test of this binary trips. The tables come from the macro
/// that makes the tests, so a name cannot stand in one without its test.
const TRIPPED: &[&[&str]] = &[
    connections::TRIPPED,
    cpu::TRIPPED,
    devices::TRIPPED,
    files::TRIPPED,
    icmp::TRIPPED,
    inbox::TRIPPED,
    indigo::TRIPPED,
    indigo_commands::TRIPPED,
    log::TRIPPED,
    memory::TRIPPED,
    processes::TRIPPED,
    recovery::TRIPPED,
    sockets::TRIPPED,
    serial::TRIPPED,
    sqlite::TRIPPED,
    stacks::TRIPPED,
    threads::TRIPPED,
    tls::TRIPPED,
    wasi::TRIPPED,
];

#[test]
fn every_limit_has_a_test() {
    let tripped: Vec<_> = TRIPPED.concat();
    let missing: Vec<_> = cordon_base::limits::DECLARATIONS
        .iter()
        .map(|limit| limit.name)
        .filter(|name| !tripped.contains(name))
        .collect();
    assert!(missing.is_empty(), "limits that no test trips: {missing:?}");
}
