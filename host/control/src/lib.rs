//! The operator's API of the hub, and its client.
//!
//! The hub itself is behind the trait [`Operator`], so that nothing here knows how instances are
//! made. The types of the answers are the same for the server, the client and the documents.

pub mod operator;
pub mod report;
