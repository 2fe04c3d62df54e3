//! What Domoticz means by device, hardware, command and setting.
//!
//! Code here knows the store, never a plugin's component: what reaches a plugin goes through
//! the traits that these modules declare.

pub mod domoticz;
