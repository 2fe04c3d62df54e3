//! The meaning that each original hub gives to device, hardware, command and setting.
//!
//! One folder per hub. Code here knows the store, never a plugin's component. A plugin
//! is reached through the traits that these modules declare.

pub mod domoticz;
