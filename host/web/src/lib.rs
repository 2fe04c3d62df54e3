//! What every HTTP API of the hub stands on; it knows no URL of a framework.
//!
//! - [`server`]: listeners and connections, with [`places`] for those who ask, and how long
//!   [`bodies`] and a [`stream`] may take; [`budget`]: room for answers under way.
//! - [`access`]: users and rights, by [`digest`] and with [`throttle`]; [`forwarded`]: who
//!   asks; [`origin`]: from which pages browsers may ask; [`pages_origin`]: where pages
//!   of plugins are; [`config`]: the section `[web]`.
//! - [`query`], [`body`]: what is asked; [`rows`], [`gzip`], [`html`], [`early`]: what is
//!   answered;
//!   [`compare`]: secrets that are alike.

pub mod access;
pub mod bodies;
pub mod body;
pub mod budget;
pub mod compare;
pub mod config;
pub mod digest;
pub mod early;
pub mod forwarded;
pub mod gzip;
pub mod html;
pub mod origin;
pub mod pages_origin;
pub mod places;
pub mod query;
pub mod rows;
pub mod server;
pub mod stream;
pub mod throttle;
