//! The meaning of device, hardware, command and setting in Domoticz.
//!
//! Code here knows the store, never a plugin's component. A plugin is reached through the
//! traits that these modules declare.

pub mod domoticz;
