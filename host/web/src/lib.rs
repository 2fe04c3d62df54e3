//! The ground of every HTTP API of the hub; it knows no URL of a framework.
//!
//! - [`server`]: listeners and connections, with [`places`] for those who ask, and how long
//!   [`bodies`] and a [`stream`] may take; [`budget`]: room for answers under way.
//! - [`local`]: a Unix socket for the operator's own programs.
//! - [`access`]: users and rights, by [`digest`] and with [`throttle`]; `refusals`: refused logins
//!   in the log; [`forwarded`]: who asks; [`origin`] and [`cors`]: from which pages browsers may ask; [`config`]: the section
//!   `[web]`.
//! - [`query`], [`body`]: requests; [`rows`], [`gzip`], [`early`]: answers;
//!   [`compare`]: secrets that are alike.

pub mod access;
pub mod bodies;
pub mod body;
pub mod budget;
pub mod compare;
pub mod config;
pub mod cors;
pub mod digest;
pub mod early;
pub mod forwarded;
pub mod gzip;
pub mod html;
pub mod local;
pub mod origin;
pub mod pages_origin;
pub mod places;
pub mod query;
mod refusals;
pub mod rows;
pub mod server;
pub mod stream;
pub mod throttle;
