//! The operator's API of the hub, and its client.
//!
//! The hub itself is behind the trait [`operator::Operator`], so that nothing here knows how
//! instances are made. The types of the answers are the same for the server, the client and the
//! document `openapi.json`.
//!
//! - [`report`], [`entry`]: the answers; [`operator`]: the hub; [`names`]: names that are nearly right.
//! - [`router`]: the addresses, with the log in `reading` and errors in `answer`; `gate`: who may use
//!   them over HTTP.
//! - [`client`]: the other end of the Unix socket, for the verbs of the program.

mod answer;
pub mod client;
pub mod entry;
mod gate;
pub mod names;
pub mod operator;
mod reading;
pub mod report;
pub mod router;
