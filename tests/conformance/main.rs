//! Domoticz plugins as their authors know them: `cases/domoticz`, and real sockets.
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

mod api;
mod behaviour;
mod case;
mod durability;
mod http;
mod listener;
mod mqtt;
mod operator;
mod peer;
mod reload;
mod runner;
mod serve;
mod settings;
mod stage;
#[path = "../platform/terminal.rs"]
mod terminal;
mod tls;
mod tools;
mod transports;
mod websocket;
